"""Aliases in SQLite. ``ports.store.Aliases`` says what each method gives."""

import sqlite3
from collections.abc import Sequence

from stoker.core.aliases import Alias
from stoker.core.errors import Conflict, NotFound
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer, all_or_nothing

_SQL = queries("aliases")


class SqliteAliases:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def put(
        self, model: str, version: str, aliases: Sequence[Alias], *, take_over: bool = False
    ) -> None:
        await self._write(_put, model, version, aliases, take_over)

    async def of_version(self, model: str, version: str) -> list[Alias]:
        return sorted(
            await self._read(_all, "of_version", (model, version)),
            key=lambda a: ((a.name or "").casefold(), a.id),
        )

    async def by_id(self, id: str) -> list[Alias]:
        return await self._read(_all, "by_id", (id,))

    async def by_name(self, name: str) -> Alias | None:
        found = await self._read(_all, "by_name", (name,))
        return found[0] if found else None


def _put(db: sqlite3.Connection, model: str, version: str, aliases: Sequence[Alias], take_over: bool) -> None:
    with all_or_nothing(db):
        found = db.execute(_SQL["has_version"], (model, version)).fetchone()
        if found is None:
            raise NotFound
        (ref,) = found
        db.execute(_SQL["clear"], (ref, version))
        if take_over:
            db.executemany(_SQL["take"], [(alias.id, ref) for alias in aliases])
        for alias in aliases:
            _check(db, alias, ref, version)
            db.execute(_SQL["add"], (alias.id, alias.name or "", ref, version))


def _check(db: sqlite3.Connection, alias: Alias, ref: str, version: str) -> None:
    """Real things come first, and an alias has one meaning."""
    name = alias.name or ""
    if taken := db.execute(_SQL["is_version"], (alias.id,)).fetchone():
        raise Conflict(f"{alias.id} is a version of {taken[0]} here.")
    if taken := db.execute(_SQL["has_id"], (alias.id, ref, version)).fetchone():
        raise Conflict(f"{alias.id} stands for {taken[0]} already.")
    if name and (taken := db.execute(_SQL["is_model"], (name, ref)).fetchone()):
        raise Conflict(f"There is a model {taken[0]} here.")
    if name and (taken := db.execute(_SQL["has_name"], (name, ref)).fetchone()):
        raise Conflict(f"{name} stands for {taken[0]} already.")


def _all(db: sqlite3.Connection, query: str, row: tuple[str, ...]) -> list[Alias]:
    return [
        Alias(id=id, name=name or None, model=model, version=version)
        for id, name, model, version in db.execute(_SQL[query], row)
    ]
