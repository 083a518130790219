"""Accounts and tokens in SQLite. ``ports.store.Accounts`` says what each method gives."""

import sqlite3
from typing import Any

import msgspec

from stoker.core.catalog import Account, Token
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer

_SQL = queries("accounts", columns="id, account, name, digest, hint, created_us, revoked_us")


class SqliteAccounts:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def create(self, account: Account) -> bool:
        return await self._write(_change, _SQL["create"], msgspec.structs.astuple(account))

    async def get(self, name: str) -> Account | None:
        return await self._read(_account, name)

    async def create_token(self, token: Token) -> None:
        await self._write(_change, _SQL["create_token"], msgspec.structs.astuple(token))

    async def token_by_digest(self, digest: str) -> Token | None:
        found = await self._read(_tokens, _SQL["token_by_digest"], digest)
        return found[0] if found else None

    async def list_tokens(self, account: str) -> list[Token]:
        return await self._read(_tokens, _SQL["list_tokens"], account)

    async def revoke_token(self, account: str, id: str, now_us: int) -> bool:
        return await self._write(_change, _SQL["revoke_token"], (now_us, account, id))


def _change(db: sqlite3.Connection, sql: str, row: tuple[Any, ...]) -> bool:
    return db.execute(sql, row).rowcount == 1


def _account(db: sqlite3.Connection, name: str) -> Account | None:
    row = db.execute(_SQL["get"], (name,)).fetchone()
    return Account(name=row[0], kind=row[1], created_us=row[2], webhook_secret=row[3]) if row else None


def _tokens(db: sqlite3.Connection, sql: str, key: str) -> list[Token]:
    return [
        Token(
            id=id,
            account=account,
            name=name,
            digest=digest,
            hint=hint,
            created_us=created,
            revoked_us=revoked,
        )
        for id, account, name, digest, hint, created, revoked in db.execute(sql, (key,))
    ]
