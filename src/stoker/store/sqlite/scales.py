"""How many instances are asked for, in SQLite. ``ports.store.Scales`` says what each method gives."""

import sqlite3

import msgspec

from stoker.core.scales import Asked, Target
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer

_SQL = queries("scales")
_asked = msgspec.json.Decoder(Asked)


class SqliteScales:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def all(self) -> dict[Target, Asked]:
        return await self._read(_all)

    async def get(self, target: Target) -> Asked:
        return await self._read(_get, target)

    async def put(self, target: Target, asked: Asked) -> None:
        await self._write(_put, target, asked)


def _all(db: sqlite3.Connection) -> dict[Target, Asked]:
    return {
        Target(kind=kind, ref=ref, version=version): _asked.decode(asked)
        for kind, ref, version, asked in db.execute(_SQL["all"])
    }


def _get(db: sqlite3.Connection, target: Target) -> Asked:
    found = db.execute(_SQL["get"], (target.kind, target.ref, target.version)).fetchone()
    return _asked.decode(found[0]) if found else Asked()


def _put(db: sqlite3.Connection, target: Target, asked: Asked) -> None:
    key = (target.kind, target.ref, target.version)
    if asked.is_empty:
        db.execute(_SQL["drop"], key)
    else:
        db.execute(_SQL["put"], (*key, msgspec.json.encode(asked).decode()))
