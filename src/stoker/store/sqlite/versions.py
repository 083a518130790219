"""Versions in SQLite. ``ports.store.Versions`` says what each method gives."""

import sqlite3
from typing import Any

import msgspec

from stoker.core.catalog import Recipe, SourceFile, Version
from stoker.core.errors import NotFound
from stoker.ports.store import Cursor, Page
from stoker.store.sqlite import keyset
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer, all_or_nothing

COLUMNS = (
    "id, model, created_us, cog_version, openapi_schema, recipe, source, "
    "(SELECT hardware FROM models WHERE ref = versions.model)"
)
_SQL = queries("versions", columns=COLUMNS)

_recipe = msgspec.json.Decoder(Recipe)
_source = msgspec.json.Decoder(tuple[SourceFile, ...])


class SqliteVersions:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def create(self, version: Version) -> bool:
        return await self._write(_create, version, _row(version))

    async def describe(self, version: Version) -> bool:
        return await self._write(_describe, version.model, _row(version))

    async def get(self, id: str, *, model: str | None = None) -> Version | None:
        return await self._read(_get, id, model)

    async def get_visible(self, id: str, account: str) -> Version | None:
        return await self._read(_get_visible, id, account)

    async def page(self, model: str, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Version]:
        return await self._read(_page, model, cursor, limit)

    async def delete(self, model: str, id: str, *, runs_before_us: int | None = None) -> bool:
        return await self._write(_delete, model, id, runs_before_us)

    async def runners(self, model: str, id: str) -> dict[str, bool]:
        return await self._read(_runners, id, model)

    async def ids(self) -> set[str]:
        return await self._read(_column, _SQL["ids"])

    async def has_trained(self, model: str, id: str, *, elsewhere: bool = False) -> bool:
        return await self._read(_has_trained, f"{model}:{id}", model if elsewhere else "")

    async def sources(self) -> set[str]:
        return await self._read(_column, _SQL["sources"])

    async def environments(self) -> set[str]:
        return await self._read(_column, _SQL["environments"])

    async def by_checkpoint(self) -> dict[str, list[str]]:
        return await self._read(_by_checkpoint)


def _create(db: sqlite3.Connection, version: Version, row: tuple[Any, ...]) -> bool:
    with all_or_nothing(db):
        latest = version.id, version.model, version.created_us
        if db.execute(_SQL["set_latest"], latest).rowcount == 0:
            raise NotFound(f"There is no model {version.model}.")
        return db.execute(_SQL["create"], row).rowcount == 1


def _describe(db: sqlite3.Connection, model: str, row: tuple[Any, ...]) -> bool:
    with all_or_nothing(db):
        if db.execute(_SQL["has_model"], (model,)).fetchone() is None:
            raise NotFound(f"There is no model {model}.")
        made = db.execute(_SQL["describe"], row).rowcount == 1
        db.execute(_SQL["set_described"], (model,))
    return made


def _get(db: sqlite3.Connection, id: str, model: str | None) -> Version | None:
    if model is None:
        row = db.execute(_SQL["get"], (id,)).fetchone()
    else:
        row = db.execute(_SQL["get_of_model"], (id, model)).fetchone()
    return _version(row) if row else None


def _get_visible(db: sqlite3.Connection, id: str, account: str) -> Version | None:
    imported: Version | None = None
    for query, key in (("get_own", (id, account)), ("get_shared", (id, account)), ("get_public", (id,))):
        row = db.execute(_SQL[query], key).fetchone()
        version = _version(row) if row else None
        if version is not None and version.imported_from is None:
            return version
        imported = imported or version
    return imported


def _page(db: sqlite3.Connection, model: str, cursor: Cursor | None, limit: int) -> Page[Version]:
    def place(version: Version) -> keyset.Place:
        return version.created_us, version.id

    return keyset.page(db, _SQL, "page", (model,), cursor=cursor, limit=limit, build=_version, place=place)


def _delete(db: sqlite3.Connection, model: str, id: str, runs_before_us: int | None) -> bool:
    with all_or_nothing(db):
        if db.execute(_SQL["delete"], (model, id)).rowcount == 0:
            return False
        if runs_before_us is not None:
            db.execute(_SQL["delete_runs"], (model, id, runs_before_us))
        db.execute(_SQL["relatest"], (model, id))
        db.execute(_SQL["set_described"], (model,))
    return True


def _runners(db: sqlite3.Connection, id: str, model: str) -> dict[str, bool]:
    return {account: bool(is_open) for account, is_open in db.execute(_SQL["runs"], (id, model))}


def _has_trained(db: sqlite3.Connection, base: str, but: str) -> bool:
    return db.execute(_SQL["has_trained"], (base, but)).fetchone() is not None


def _column(db: sqlite3.Connection, sql: str) -> set[str]:
    return {row[0] for row in db.execute(sql)}


def _by_checkpoint(db: sqlite3.Connection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for checkpoint, model, id in db.execute(_SQL["checkpoints"]):
        found.setdefault(checkpoint, []).append(f"{model}:{id}")
    return found


def _row(version: Version) -> tuple[Any, ...]:
    return (
        version.model,
        version.id,
        version.created_us,
        version.cog_version,
        version.recipe.environment,
        msgspec.json.encode(version.openapi_schema).decode(),
        msgspec.json.encode(version.recipe).decode(),
        msgspec.json.encode(version.source).decode(),
    )


def _version(row: tuple[Any, ...]) -> Version:
    id, model, created_us, cog_version, openapi_schema, recipe, source, hardware = row
    return Version(
        id=id,
        model=model,
        created_us=created_us,
        cog_version=cog_version,
        openapi_schema=msgspec.json.decode(openapi_schema),
        recipe=_recipe.decode(recipe),
        source=_source.decode(source),
        hardware=hardware,
    )
