"""Models in SQLite. ``ports.store.Models`` says what each method gives."""

import sqlite3
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from stoker.core.catalog import Model, Visibility
from stoker.ports.store import Cursor, Hit, ModelOrder, Page
from stoker.store.sqlite import keyset, search
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer

FIELDS = tuple(field.name for field in msgspec.structs.fields(Model))
COLUMNS = ", ".join(FIELDS)
_SQL = queries("models", columns=COLUMNS)
_PAGE_OF: dict[ModelOrder, str] = {"created": "page", "recent": "page_recent"}

CHANGEABLE = (
    "visibility",
    "hardware",
    "description",
    "github_url",
    "paper_url",
    "license_url",
    "weights_url",
    "cover_image_url",
    "readme",
)
"""In the order of the ``update`` statement."""


class SqliteModels:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def create(self, model: Model) -> bool:
        return await self._write(_create, model)

    async def get(self, owner: str, name: str) -> Model | None:
        return await self._read(_get, f"{owner}/{name}")

    async def count(self, account: str) -> int:
        return await self._read(_count, account)

    async def page(
        self,
        account: str,
        *,
        cursor: Cursor | None = None,
        limit: int = 25,
        order: ModelOrder = "created",
        ascending: bool = False,
    ) -> Page[Model]:
        return await self._read(_page, account, cursor, limit, order, ascending)

    async def search(self, words: Sequence[str], account: str, *, limit: int = 25) -> list[Hit]:
        return await self._read(_search, words, account, limit)

    async def update(self, owner: str, name: str, **fields: str | None) -> Model | None:
        if unknown := fields.keys() - set(CHANGEABLE):
            raise ValueError(f"a model's {', '.join(sorted(unknown))} cannot be changed")
        if fields.get("visibility", "public") not in get_args(Visibility):
            raise ValueError(f"{fields['visibility']} is no visibility")
        return await self._write(_update, f"{owner}/{name}", fields)

    async def delete(self, owner: str, name: str) -> bool:
        return await self._write(_delete, f"{owner}/{name}")


def _create(db: sqlite3.Connection, model: Model) -> bool:
    return db.execute(_SQL["create"], (*msgspec.structs.astuple(model), model.ref)).rowcount == 1


def _get(db: sqlite3.Connection, ref: str) -> Model | None:
    row = db.execute(_SQL["get"], (ref,)).fetchone()
    return model_of(row) if row else None


def _count(db: sqlite3.Connection, account: str) -> int:
    return db.execute(_SQL["count"], (account,)).fetchone()[0]


def _page(
    db: sqlite3.Connection,
    account: str,
    cursor: Cursor | None,
    limit: int,
    order: ModelOrder,
    ascending: bool,
) -> Page[Model]:
    def place(model: Model) -> keyset.Place:
        return model.recent_us if order == "recent" else model.created_us, model.ref

    return keyset.page(
        db,
        _SQL,
        _PAGE_OF[order],
        (account,),
        cursor=cursor,
        limit=limit,
        build=lambda row: model_of(row[: len(FIELDS)]),
        place=place,
        ascending=ascending,
    )


def _search(db: sqlite3.Connection, words: Sequence[str], account: str, limit: int) -> list[Hit]:
    return [
        Hit(model_of(row[:-1]), float(row[-1])) for row in search.find(db, COLUMNS, words, account, limit)
    ]


def _update(db: sqlite3.Connection, ref: str, fields: dict[str, Any]) -> Model | None:
    model = _get(db, ref)
    if model is None:
        return None
    changed = msgspec.structs.replace(model, **fields)
    db.execute(_SQL["update"], (*(getattr(changed, name) for name in CHANGEABLE), ref))
    return changed


def _delete(db: sqlite3.Connection, ref: str) -> bool:
    return db.execute(_SQL["delete"], (ref,)).rowcount == 1


def model_of(row: tuple[Any, ...]) -> Model:
    """The model of a row with its fields in order."""
    return Model(**dict(zip(FIELDS, row, strict=True)))
