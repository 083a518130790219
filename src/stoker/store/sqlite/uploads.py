"""Who has sent which bytes, in SQLite. ``ports.store.Uploads`` says what each method gives."""

import sqlite3
from typing import Any

import msgspec

from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.writer import Writer

_SQL = queries("uploads")


class SqliteUploads:
    def __init__(self, writer: Writer):
        self._write = writer.do

    async def note(self, account: str, sha256: str, now_us: int) -> None:
        await self._write(_change, _SQL["note"], (account, sha256, now_us))

    async def known(self, account: str, digests: set[str], now_us: int) -> set[str]:
        listed = msgspec.json.encode(sorted(digests)).decode()
        return await self._write(_known, (now_us, account, listed), synced=False)

    async def forget(self, before_us: int) -> int:
        return await self._write(_change, _SQL["forget"], (before_us,), synced=False)


def _change(db: sqlite3.Connection, sql: str, row: tuple[Any, ...]) -> int:
    return db.execute(sql, row).rowcount


def _known(db: sqlite3.Connection, row: tuple[Any, ...]) -> set[str]:
    return {sha256 for (sha256,) in db.execute(_SQL["known"], row).fetchall()}
