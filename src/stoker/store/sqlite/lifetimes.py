"""Lifetimes of answers in SQLite. ``ports.store.Lifetimes`` says what each method gives."""

import sqlite3

from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer

_SQL = queries("lifetimes")


class SqliteLifetimes:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def put(self, model: str, answer_s: float | None) -> bool:
        return await self._write(_put, model, answer_s)

    async def all(self) -> dict[str, float]:
        return await self._read(_all)


def _put(db: sqlite3.Connection, model: str, answer_s: float | None) -> bool:
    if answer_s is not None:
        return db.execute(_SQL["put"], (model, answer_s)).rowcount == 1
    db.execute(_SQL["drop"], (model,))
    return db.execute(_SQL["exists"], (model,)).fetchone() is not None


def _all(db: sqlite3.Connection) -> dict[str, float]:
    return dict(db.execute(_SQL["all"]).fetchall())
