"""Webhook deliveries in SQLite. ``ports.store.Outbox`` says what each method gives."""

import sqlite3
from collections.abc import Sequence

from stoker.ports.store import Delivery
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer

_SQL = queries("outbox", columns="id, prediction, event, created_us, attempts, next_us")


def owe(db: sqlite3.Connection, deliveries: Sequence[Delivery]) -> None:
    """Keeps deliveries, in the transaction of the change that they tell of."""
    for d in deliveries:
        db.execute(_SQL["owe"], (d.id, d.prediction, d.event, d.created_us, d.attempts, d.next_us))


class SqliteOutbox:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def due(self, now_us: int, *, limit: int = 100) -> list[Delivery]:
        return await self._read(_due, now_us, limit)

    async def next_due_us(self, *, after_us: int) -> int | None:
        return await self._read(_next_due_us, after_us)

    async def retry(self, id: str, *, attempts: int, next_us: int) -> None:
        await self._write(_execute, _SQL["retry"], (attempts, next_us, id))

    async def drop(self, id: str) -> None:
        await self._write(_execute, _SQL["drop"], (id,))


def _due(db: sqlite3.Connection, now_us: int, limit: int) -> list[Delivery]:
    rows = db.execute(_SQL["due"], (now_us, limit)).fetchall()
    return [
        Delivery(
            id=id, prediction=prediction, event=event, created_us=created, attempts=attempts, next_us=next_us
        )
        for id, prediction, event, created, attempts, next_us in rows
    ]


def _next_due_us(db: sqlite3.Connection, after_us: int) -> int | None:
    return db.execute(_SQL["next_due_us"], (after_us,)).fetchone()[0]


def _execute(db: sqlite3.Connection, sql: str, row: tuple[str | int, ...]) -> None:
    db.execute(sql, row)
