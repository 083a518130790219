"""Examples in SQLite. ``ports.store.Examples`` says what methods give; triggers undo what keeping did."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from stoker.core.examples import Example
from stoker.core.retention import FOR_EVER_US
from stoker.ports.store import Cursor, Page
from stoker.store.sqlite import keyset
from stoker.store.sqlite.files import SqliteFiles
from stoker.store.sqlite.predictions import COLUMNS, prediction_of
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer, all_or_nothing

_SQL = queries("examples", columns=COLUMNS)


class SqliteExamples:
    def __init__(self, writer: Writer, readers: Readers, files: SqliteFiles):
        self._write = writer.do
        self._read = readers.do
        self._files = files

    async def keep(
        self, model: str, prediction: str, *, files: Sequence[str], now_us: int, default: bool = False
    ) -> bool:
        held = await self._write(_keep, model, prediction, files, now_us, default)
        self._files.forget_youngest()
        return held

    async def drop(self, model: str, prediction: str) -> bool:
        return await self._write(_drop, model, prediction)

    async def get(self, prediction: str) -> Example | None:
        return await self._read(_get, prediction)

    async def page(self, model: str, *, cursor: Cursor | None = None, limit: int = 25) -> Page[Example]:
        return await self._read(_page, model, cursor, limit)


def _keep(
    db: sqlite3.Connection, model: str, prediction: str, files: Sequence[str], now_us: int, default: bool
) -> bool:
    with all_or_nothing(db):
        if db.execute(_SQL["mark"], (prediction, model)).rowcount == 0:
            return False
        db.execute(_SQL["keep"], (prediction, model, now_us))
        db.executemany(_SQL["keep_file"], [(prediction, file) for file in files])
        db.execute(_SQL["hold_files"], (FOR_EVER_US, prediction))
        db.execute(_SQL["set_default"], (prediction, model, default))
    return True


def _drop(db: sqlite3.Connection, model: str, prediction: str) -> bool:
    with all_or_nothing(db):
        return db.execute(_SQL["drop"], (prediction, model)).rowcount == 1


def _get(db: sqlite3.Connection, prediction: str) -> Example | None:
    row = db.execute(_SQL["get"], (prediction,)).fetchone()
    return _example(row) if row else None


def _page(db: sqlite3.Connection, model: str, cursor: Cursor | None, limit: int) -> Page[Example]:
    def place(example: Example) -> keyset.Place:
        return example.kept_us, example.prediction.id

    return keyset.page(db, _SQL, "page", (model,), cursor=cursor, limit=limit, build=_example, place=place)


def _example(row: tuple[Any, ...]) -> Example:
    return Example(kept_us=row[0], files=msgspec.json.decode(row[1]), prediction=prediction_of(row[2:]))
