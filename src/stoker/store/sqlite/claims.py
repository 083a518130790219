"""Idempotency keys in SQLite. ``ports.store.Claims`` says what each method gives."""

import sqlite3
from typing import Any

import msgspec

from stoker.core.claims import Claim
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.writer import Writer

_SQL = queries("claims")


class SqliteClaims:
    def __init__(self, writer: Writer):
        self._write = writer.do

    async def take(self, claim: Claim, *, since_us: int) -> Claim:
        return await self._write(_take, claim, since_us, synced=False)

    async def answer(self, claim: Claim, answer: msgspec.Raw, *, status: int) -> None:
        row = (bytes(answer), status, claim.account, claim.key, claim.created_us)
        await self._write(_change, _SQL["answer"], row, synced=False)

    async def release(self, claim: Claim) -> None:
        row = (claim.account, claim.key, claim.created_us)
        await self._write(_change, _SQL["release"], row, synced=False)

    async def forget(self, before_us: int) -> int:
        return await self._write(_change, _SQL["forget"], (before_us,), synced=False)


def _take(db: sqlite3.Connection, claim: Claim, since_us: int) -> Claim:
    row = (claim.account, claim.key, claim.said, claim.seed, claim.created_us, since_us)
    db.execute(_SQL["take"], row)
    found = db.execute(_SQL["get"], (claim.account, claim.key)).fetchone()
    return Claim(
        account=found[0],
        key=found[1],
        said=found[2],
        seed=found[3],
        created_us=found[4],
        answer=None if found[5] is None else msgspec.Raw(found[5]),
        status=found[6],
    )


def _change(db: sqlite3.Connection, sql: str, row: tuple[Any, ...]) -> int:
    return db.execute(sql, row).rowcount
