"""Collections in SQLite. ``ports.store.Collections`` says what each method gives."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from stoker.core.catalog import Model
from stoker.core.collections import Collection
from stoker.ports.store import Cursor, Page
from stoker.store.sqlite import keyset
from stoker.store.sqlite.models import COLUMNS, model_of
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer

_FIELDS = tuple(field.name for field in msgspec.structs.fields(Collection))
_SQL = queries("collections", columns=", ".join(_FIELDS), model_columns=COLUMNS)

CHANGEABLE = ("name", "description", "full_description")
"""In the order of the ``update`` statement."""


class SqliteCollections:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def create(self, collection: Collection) -> bool:
        return await self._write(_change, "create", msgspec.structs.astuple(collection))

    async def get(self, slug: str) -> Collection | None:
        return await self._read(_get, slug)

    async def page(self, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Collection]:
        return await self._read(_page, cursor, limit)

    async def update(self, slug: str, **fields: str | None) -> Collection | None:
        if unknown := fields.keys() - set(CHANGEABLE):
            raise ValueError(f"a collection's {', '.join(sorted(unknown))} cannot be changed")
        return await self._write(_update, slug, fields)

    async def delete(self, slug: str) -> bool:
        return await self._write(_change, "delete", (slug,))

    async def add(self, slug: str, model: str) -> bool:
        return await self._write(_add, slug, model)

    async def remove(self, slug: str, model: str) -> bool:
        return await self._write(_change, "remove", (slug, model))

    async def of_models(self, models: Sequence[str]) -> dict[str, list[str]]:
        return await self._read(_of_models, models)

    async def models(self, slug: str) -> list[Model]:
        return await self._read(_models, slug)


def _change(db: sqlite3.Connection, name: str, row: tuple[Any, ...]) -> bool:
    return db.execute(_SQL[name], row).rowcount == 1


def _get(db: sqlite3.Connection, slug: str) -> Collection | None:
    row = db.execute(_SQL["get"], (slug,)).fetchone()
    return _collection(row) if row else None


def _page(db: sqlite3.Connection, cursor: Cursor | None, limit: int) -> Page[Collection]:
    def place(collection: Collection) -> keyset.Place:
        return collection.created_us, collection.slug

    return keyset.page(db, _SQL, "page", (), cursor=cursor, limit=limit, build=_collection, place=place)


def _update(db: sqlite3.Connection, slug: str, fields: dict[str, Any]) -> Collection | None:
    collection = _get(db, slug)
    if collection is None:
        return None
    changed = msgspec.structs.replace(collection, **fields)
    db.execute(_SQL["update"], (*(getattr(changed, name) for name in CHANGEABLE), slug))
    return changed


def _add(db: sqlite3.Connection, slug: str, model: str) -> bool:
    added = db.execute(_SQL["add"], (slug, model)).rowcount == 1
    return added or db.execute(_SQL["has"], (slug, model)).fetchone() is not None


def _of_models(db: sqlite3.Connection, models: Sequence[str]) -> dict[str, list[str]]:
    found = {ref: sorted(row[0] for row in db.execute(_SQL["of_model"], (ref,))) for ref in models}
    return {ref: slugs for ref, slugs in found.items() if slugs}


def _models(db: sqlite3.Connection, slug: str) -> list[Model]:
    return [model_of(row) for row in db.execute(_SQL["models"], (slug,))]


def _collection(row: tuple[Any, ...]) -> Collection:
    return Collection(**dict(zip(_FIELDS, row, strict=True)))
