"""Accounts, members and tokens in SQLite. ``ports.store.Accounts`` says what each method gives."""

import sqlite3
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from stoker.core.catalog import Account, Member, Role, Token
from stoker.ports.store import Cursor, Page
from stoker.store.sqlite import keyset
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer

T = TypeVar("T", Account, Member, Token)


def _fields(kind: type[Any]) -> str:
    return ", ".join(field.name for field in msgspec.structs.fields(kind))


_SQL = queries("accounts", accounts=_fields(Account))
_MEMBERS = queries("members", columns=_fields(Member))
_TOKENS = queries("tokens", columns=_fields(Token))

CHANGEABLE = ("display_name", "avatar_url", "github_url", "retention_s", "webhook_secret")
"""In the order of the ``update`` statement."""


class SqliteAccounts:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def create(self, account: Account) -> bool:
        return await self._write(_change, _SQL["create"], msgspec.structs.astuple(account))

    async def get(self, name: str) -> Account | None:
        return await self._read(_one, Account, _SQL["get"], name)

    async def page(self, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Account]:
        return await self._read(_page, cursor, limit)

    async def update(self, name: str, **fields: Any) -> Account | None:
        if unknown := fields.keys() - set(CHANGEABLE):
            raise ValueError(f"an account's {', '.join(sorted(unknown))} cannot be changed")
        return await self._write(_update, name, fields)

    async def retentions(self) -> dict[str, float | None]:
        return await self._read(_pairs, _SQL["retentions"], ())

    async def set_member(self, member: Member) -> None:
        await self._write(_change, _MEMBERS["set"], msgspec.structs.astuple(member))

    async def remove_member(self, organization: str, account: str) -> bool:
        return await self._write(_change, _MEMBERS["remove"], (organization, account))

    async def members(self, organization: str) -> list[Member]:
        return await self._read(_many, Member, _MEMBERS["list"], organization)

    async def roles(self, account: str) -> dict[str, Role]:
        return await self._read(_pairs, _MEMBERS["roles"], (account,))

    async def create_token(self, token: Token) -> None:
        await self._write(_change, _TOKENS["create"], msgspec.structs.astuple(token))

    async def token(self, id: str) -> Token | None:
        return await self._read(_one, Token, _TOKENS["get"], id)

    async def token_by_digest(self, digest: str) -> Token | None:
        return await self._read(_one, Token, _TOKENS["by_digest"], digest)

    async def list_tokens(self, account: str) -> list[Token]:
        return await self._read(_many, Token, _TOKENS["list"], account)

    async def revoke_token(self, account: str, id: str, now_us: int) -> bool:
        return await self._write(_change, _TOKENS["revoke"], (now_us, account, id))

    async def note_uses(self, ids: Sequence[str], now_us: int) -> None:
        await self._write(_note_uses, [(now_us, id) for id in ids], synced=False)


def _change(db: sqlite3.Connection, sql: str, row: tuple[Any, ...]) -> bool:
    return db.execute(sql, row).rowcount == 1


def _note_uses(db: sqlite3.Connection, rows: list[tuple[int, str]]) -> None:
    db.executemany(_TOKENS["note_use"], rows)


def _update(db: sqlite3.Connection, name: str, fields: dict[str, Any]) -> Account | None:
    account = _one(db, Account, _SQL["get"], name)
    if account is None:
        return None
    changed = msgspec.structs.replace(account, **fields)
    db.execute(_SQL["update"], (*(getattr(changed, field) for field in CHANGEABLE), name))
    return changed


def _one(db: sqlite3.Connection, kind: type[T], sql: str, key: str) -> T | None:
    row = db.execute(sql, (key,)).fetchone()
    return _built(kind, row) if row else None


def _many(db: sqlite3.Connection, kind: type[T], sql: str, key: str) -> list[T]:
    return [_built(kind, row) for row in db.execute(sql, (key,))]


def _page(db: sqlite3.Connection, cursor: Cursor | None, limit: int) -> Page[Account]:
    def place(account: Account) -> keyset.Place:
        return account.created_us, account.name

    def build(row: tuple[Any, ...]) -> Account:
        return _built(Account, row)

    return keyset.page(db, _SQL, "page", (), cursor=cursor, limit=limit, build=build, place=place)


def _pairs(db: sqlite3.Connection, sql: str, key: tuple[str, ...]) -> dict[str, Any]:
    return dict(db.execute(sql, key).fetchall())


def _built(kind: type[T], row: tuple[Any, ...]) -> T:
    return kind(**dict(zip(kind.__struct_fields__, row, strict=True)))
