"""Models and versions, and the names and ids that others may call them by."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from stoker.core.aliases import Alias
from stoker.core.catalog import Model, Version
from stoker.ports.store.paging import Cursor, Page

ModelOrder = Literal["created", "recent"]


class Hit(NamedTuple):
    """A model that was looked for."""

    model: Model
    weight: float
    """How well it fits, more is better; only within one search is it to be compared."""


class Models(Protocol):
    async def create(self, model: Model) -> bool:
        """False where ``owner/name`` exists (compared without case)."""
        ...

    async def get(self, owner: str, name: str) -> Model | None: ...

    async def count(self, account: str) -> int:
        """How many the account has."""
        ...

    async def page(
        self,
        account: str,
        *,
        cursor: Cursor | None = None,
        limit: int = 25,
        order: ModelOrder = "created",
        ascending: bool = False,
    ) -> Page[Model]:
        """The public ones, the account's own and its organisations', newest first unless ``ascending``.

        ``recent`` goes by ``Model.recent_us``. A cursor's id is ``owner/name``.
        """
        ...

    async def search(self, words: Sequence[str], account: str, *, limit: int = 25) -> list[Hit]:
        """Of the same, those with all the words in name, owner, description and README, the best first.

        At least one word; each is of letters and digits, and may be the beginning of a longer one.
        """
        ...

    async def update(self, owner: str, name: str, **fields: str | None) -> Model | None:
        """Changes what people may change (not name, times or counts); the model as it is now."""
        ...

    async def delete(self, owner: str, name: str) -> bool:
        """False where it does not exist or still has versions."""
        ...


class Versions(Protocol):
    async def create(self, version: Version) -> bool:
        """Also makes it the model's latest, even where that model has it already (then False).

        Takes the place of an imported one of the same id. Raises ``NotFound`` where there is no such model.
        """
        ...

    async def describe(self, version: Version) -> bool:
        """Keeps an imported version; False where the model has it, imported or not, and nothing changes.

        It is the model's latest only where none has code. Raises ``NotFound`` where there is no such model.
        """
        ...

    async def get(self, id: str, *, model: str | None = None) -> Version | None:
        """By id alone the newest model that has it; with ``model`` (owner/name) only that one's. An imported
        one only where there is no other, here and in ``get_visible``."""
        ...

    async def get_visible(self, id: str, account: str) -> Version | None:
        """By id alone, of a model that the account may see: its own, its organisations', then public ones."""
        ...

    async def page(self, model: str, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Version]:
        """Newest first."""
        ...

    async def delete(self, model: str, id: str, *, runs_before_us: int | None = None) -> bool:
        """The newest that is left, with code if any has it, becomes the model's latest where this one was.

        Its predictions from before that moment go too, bit by bit (``Predictions.remove_deleted``); with None
        they stay. False where there is none, or a deployment's current release runs it.
        """
        ...

    async def runners(self, model: str, id: str) -> dict[str, bool]:
        """The accounts that made predictions or trainings of it, and whether any of theirs is not over."""
        ...

    async def ids(self) -> set[str]:
        """The id of every version."""
        ...

    async def has_trained(self, model: str, id: str, *, elsewhere: bool = False) -> bool:
        """Whether another version was trained from that one; with ``elsewhere`` one of another model."""
        ...

    async def sources(self) -> set[str]:
        """The sha256 of every source file, and of all trained weights, that some version needs."""
        ...

    async def environments(self) -> set[str]:
        """The environments that some version runs in."""
        ...

    async def by_checkpoint(self) -> dict[str, list[str]]:
        """The checkpoints that versions run with, each with those (``owner/name:id``), newest first."""
        ...


class Lifetimes(Protocol):
    """For how many seconds an answer of a model is given again."""

    async def put(self, model: str, answer_s: float | None) -> bool:
        """None is not at all; False where there is no such model."""
        ...

    async def all(self) -> dict[str, float]:
        """By ``owner/name``; a model that goes takes its own along."""
        ...


class Aliases(Protocol):
    async def put(
        self, model: str, version: str, aliases: Sequence[Alias], *, take_over: bool = False
    ) -> None:
        """The aliases of a version from now on; with ``take_over`` also those of the model's other versions.

        Raises ``NotFound`` where there is no such version, ``Conflict`` where an id is another version's
        (real or alias) or a name is another model's. What was only imported gives way.
        """
        ...

    async def of_version(self, model: str, version: str) -> list[Alias]:
        """Bare ids first, then by name."""
        ...

    async def by_id(self, id: str) -> list[Alias]:
        """All of the same version: an id has one meaning."""
        ...

    async def by_name(self, name: str) -> Alias | None:
        """The one whose version is the newest."""
        ...
