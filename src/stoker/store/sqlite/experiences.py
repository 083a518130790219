"""What was learned of versions, in SQLite. ``ports.store.Experiences`` says what each method gives."""

import sqlite3
from collections.abc import Mapping

import msgspec

from stoker.core.experience import Experience
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer, all_or_nothing

_SQL = queries("experiences")
_learned = msgspec.json.Decoder(Experience)


class SqliteExperiences:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do

    async def all(self) -> dict[str, Experience]:
        return await self._read(_all)

    async def put(self, learned: Mapping[str, Experience]) -> None:
        rows = [(version, msgspec.json.encode(one).decode()) for version, one in learned.items()]
        await self._write(_put, rows, synced=False)


def _all(db: sqlite3.Connection) -> dict[str, Experience]:
    return {version: _learned.decode(learned) for version, learned in db.execute(_SQL["all"])}


def _put(db: sqlite3.Connection, rows: list[tuple[str, str]]) -> None:
    with all_or_nothing(db):
        db.executemany(_SQL["put"], rows)
        db.execute(_SQL["forget"])
