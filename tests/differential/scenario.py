"""A scenario: one model, one input, and what is done to it while it runs."""

from typing import Any

import msgspec

from tests.differential.outcome import Field

FINAL = ("succeeded", "failed", "canceled")


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    """A folder of ``tests/models``."""
    name: str
    input: dict[str, Any] = {}
    """``{exchange}`` in a text stands for the address of the file server."""
    cancels: bool = False
    """Cancels the prediction as soon as the model has posted to the URL in its input ``begun``."""
    spoils: bool = False
    """Whether Cog's server is of no more use after it."""
    cog_within_s: float = 30
    """How long Cog's server may take; after that it counts as unanswered."""
    ignores: tuple[Field, ...] = ()
    """Fields that depend on a race."""

    @property
    def id(self) -> str:
        return f"{self.model}/{self.name}"

    def input_with(self, exchange: str) -> dict[str, Any]:
        """The input with the address of the file server put in."""
        return _replaced(self.input, exchange)


def _replaced(value: Any, exchange: str) -> Any:
    if isinstance(value, str):
        return value.replace("{exchange}", exchange)
    if isinstance(value, list):
        return [_replaced(item, exchange) for item in value]
    if isinstance(value, dict):
        return {key: _replaced(item, exchange) for key, item in value.items()}
    return value
