"""Published version ids that a local version stands in for, so that code pinned to them runs here."""

import msgspec


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    """The published version id, 64 hex digits."""
    name: str | None
    """``owner/name`` that it was published under; None where only the bare id stands in."""
    model: str
    """``owner/name`` of the local version."""
    version: str
    """The id of the local version: the one that answers name."""

    def is_called(self, ref: str) -> bool:
        """Whether ``ref:id`` means this version: by the published or by the local name."""
        return ref.casefold() in (self.model.casefold(), (self.name or self.model).casefold())
