"""What people put on show: collections of models, and predictions kept as examples."""

from collections.abc import Sequence
from typing import Protocol

from stoker.core.catalog import Model
from stoker.core.collections import Collection
from stoker.core.examples import Example
from stoker.ports.store.paging import Cursor, Page


class Collections(Protocol):
    async def create(self, collection: Collection) -> bool:
        """False where the slug is taken."""
        ...

    async def get(self, slug: str) -> Collection | None: ...

    async def page(self, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Collection]:
        """Newest first; a cursor's id is the slug."""
        ...

    async def update(self, slug: str, **fields: str | None) -> Collection | None:
        """Changes name, description and full_description; the collection as it is now."""
        ...

    async def delete(self, slug: str) -> bool: ...

    async def add(self, slug: str, model: str) -> bool:
        """Puts a model (owner/name) at the end, or leaves it where it is; False where either is missing."""
        ...

    async def remove(self, slug: str, model: str) -> bool: ...

    async def of_models(self, models: Sequence[str]) -> dict[str, list[str]]:
        """The slugs of the collections that each model (owner/name) is in, where it is in any."""
        ...

    async def models(self, slug: str) -> list[Model]:
        """In their order, private ones too; a deleted model is in no collection."""
        ...


class Examples(Protocol):
    async def keep(
        self, model: str, prediction: str, *, files: Sequence[str], now_us: int, default: bool = False
    ) -> bool:
        """Makes a prediction of the model an example, which nothing removes; its account's ``files`` stay.

        The first one becomes the model's default; ``default`` makes this one it. False where the
        prediction is not over, or of another model, or empty already.
        """
        ...

    async def drop(self, model: str, prediction: str) -> bool:
        """It is an example no longer; it and its files have their old time to live. The oldest of the others
        becomes the default where this was it."""
        ...

    async def get(self, prediction: str) -> Example | None: ...

    async def page(self, model: str, *, cursor: Cursor | None = None, limit: int = 25) -> Page[Example]:
        """Last kept first; a cursor is (kept_us, id of the prediction)."""
        ...
