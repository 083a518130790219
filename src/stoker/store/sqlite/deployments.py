"""Deployments and their releases in SQLite. ``ports.store.Deployments`` says what each method gives."""

import sqlite3
from typing import Any

import msgspec

from stoker.core.deployments import Deployment, Release
from stoker.core.errors import VersionUnknown
from stoker.ports.store import Cursor, Page
from stoker.store.sqlite import keyset
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer, all_or_nothing

_RELEASE = tuple(field.name for field in msgspec.structs.fields(Release))
_SQL = queries(
    "deployments", columns="d.owner, d.name, d.created_us, " + ", ".join(f"r.{name}" for name in _RELEASE)
)


class SqliteDeployments:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def create(self, deployment: Deployment) -> bool:
        return await self._write(_create, deployment)

    async def get(self, owner: str, name: str) -> Deployment | None:
        return await self._read(_get, f"{owner}/{name}")

    async def page(self, account: str, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Deployment]:
        return await self._read(_page, account, cursor, limit)

    async def all(self) -> list[Deployment]:
        return await self._read(_all)

    async def release(self, ref: str, release: Release) -> bool:
        return await self._write(_release, ref, release)

    async def runs(self, model: str, version: str) -> bool:
        return await self._read(_runs, model, version)

    async def delete(self, ref: str, *, unused_since_us: int | None) -> bool:
        return await self._write(_delete, ref, unused_since_us)


def _create(db: sqlite3.Connection, deployment: Deployment) -> bool:
    row = (
        deployment.ref,
        deployment.owner,
        deployment.name,
        deployment.created_us,
        deployment.release.number,
    )
    with all_or_nothing(db):
        if db.execute(_SQL["create"], row).rowcount == 0:
            return False
        _add_release(db, deployment.ref, deployment.release)
    return True


def _release(db: sqlite3.Connection, ref: str, release: Release) -> bool:
    with all_or_nothing(db):
        if db.execute(_SQL["make_current"], (ref, release.number)).rowcount == 0:
            return False
        _add_release(db, ref, release)
    return True


def _add_release(db: sqlite3.Connection, ref: str, release: Release) -> None:
    if db.execute(_SQL["add_release"], (ref, *msgspec.structs.astuple(release))).rowcount == 0:
        raise VersionUnknown


def _get(db: sqlite3.Connection, ref: str) -> Deployment | None:
    row = db.execute(_SQL["get"], (ref,)).fetchone()
    return _deployment(row) if row else None


def _page(db: sqlite3.Connection, account: str, cursor: Cursor | None, limit: int) -> Page[Deployment]:
    return keyset.page(
        db,
        _SQL,
        "page",
        (account,),
        cursor=cursor,
        limit=limit,
        build=_deployment,
        place=lambda deployment: (deployment.created_us, deployment.ref),
    )


def _all(db: sqlite3.Connection) -> list[Deployment]:
    return [_deployment(row) for row in db.execute(_SQL["all"])]


def _runs(db: sqlite3.Connection, model: str, version: str) -> bool:
    return db.execute(_SQL["runs"], (version, model)).fetchone() is not None


def _delete(db: sqlite3.Connection, ref: str, unused_since_us: int | None) -> bool:
    if unused_since_us is None:
        return db.execute(_SQL["delete_used"], (ref,)).rowcount == 1
    return db.execute(_SQL["delete"], (ref, unused_since_us)).rowcount == 1


def _deployment(row: tuple[Any, ...]) -> Deployment:
    owner, name, created_us, *release = row
    fields = dict(zip(_RELEASE, release, strict=True))
    return Deployment(owner=owner, name=name, created_us=created_us, release=Release(**fields))
