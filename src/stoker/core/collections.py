"""Collections: models that somebody put together under a heading (section 4.2 of the HTTP contract)."""

import msgspec


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    """What its URL ends with; the same alphabet as a model's name."""
    name: str
    created_us: int
    description: str = ""
    """Never null: the Go and Swift clients need a text."""
    full_description: str | None = None
    """Markdown."""
