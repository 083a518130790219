"""What is known of files, in SQLite; their bytes are blobs. ``ports.store.Files`` says what methods give."""

import sqlite3
from typing import Any

import msgspec

from stoker.core.catalog import FileRecord
from stoker.ports.store import Cursor, Page
from stoker.store.sqlite import keyset
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer

_FIELDS = tuple(field.name for field in msgspec.structs.fields(FileRecord))
_SQL = queries("files", columns=", ".join(_FIELDS))
_YOUNGEST = 64


class SqliteFiles:
    def __init__(self, writer: Writer, readers: Readers):
        self._write = writer.do
        self._read = readers.do
        self._youngest: dict[str, FileRecord] = {}
        """Those last created, while they are remembered: a link is mostly followed at once. Records change
        only when an example holds their files (:meth:`forget_youngest`), and nobody else writes."""

    async def create(self, record: FileRecord, *, synced: bool = True) -> None:
        row = (*msgspec.structs.astuple(record)[:-1], msgspec.json.encode(record.metadata).decode())
        await self._write(_count, _SQL["create"], row, synced=synced)
        self._youngest[record.id] = record
        if len(self._youngest) > _YOUNGEST:
            del self._youngest[next(iter(self._youngest))]

    async def get(self, id: str) -> FileRecord | None:
        return self._youngest.get(id) or await self._read(_get, id)

    async def page(
        self, account: str, *, origin: str = "upload", cursor: Cursor | None = None, limit: int = 100
    ) -> Page[FileRecord]:
        return await self._read(_page, (account, origin), cursor, limit)

    async def delete(self, id: str, *, account: str) -> bool:
        deleted = await self._write(_count, _SQL["delete"], (id, account)) == 1
        if deleted:
            self._youngest.pop(id, None)
        return deleted

    async def expire(self, now_us: int, *, limit: int = 500) -> int:
        expired = await self._write(_count, _SQL["expire"], (now_us, limit))
        if expired:
            self.forget_youngest()
        return expired

    def forget_youngest(self) -> None:
        """Must be called when others have changed or removed files."""
        self._youngest.clear()

    async def contents(self) -> set[str]:
        return await self._read(_contents)


def _count(db: sqlite3.Connection, sql: str, row: tuple[Any, ...]) -> int:
    return db.execute(sql, row).rowcount


def _get(db: sqlite3.Connection, id: str) -> FileRecord | None:
    row = db.execute(_SQL["get"], (id,)).fetchone()
    return _file(row) if row else None


def _page(db: sqlite3.Connection, of: tuple[str, str], cursor: Cursor | None, limit: int) -> Page[FileRecord]:
    def place(record: FileRecord) -> keyset.Place:
        return record.created_us, record.id

    return keyset.page(db, _SQL, "page", of, cursor=cursor, limit=limit, build=_file, place=place)


def _contents(db: sqlite3.Connection) -> set[str]:
    return {row[0] for row in db.execute(_SQL["contents"])}


def _file(row: tuple[Any, ...]) -> FileRecord:
    fields = dict(zip(_FIELDS, row, strict=True))
    return FileRecord(**fields | {"metadata": msgspec.json.decode(fields["metadata"])})
