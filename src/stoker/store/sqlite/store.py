"""The store in one SQLite file: opens it, holds its parts together, closes it.

Built by ``stoker.main`` and by tests. Every write goes through one thread with group commit, every read
through a few others (``writer``, ``readers``); one process at a time may have a data directory open.
"""

import asyncio
import sqlite3
from pathlib import Path
from typing import BinaryIO

from stoker.core.errors import DataDirUnusable
from stoker.store.sqlite import database, search
from stoker.store.sqlite.accounts import SqliteAccounts
from stoker.store.sqlite.aliases import SqliteAliases
from stoker.store.sqlite.claims import SqliteClaims
from stoker.store.sqlite.collections import SqliteCollections
from stoker.store.sqlite.deployments import SqliteDeployments
from stoker.store.sqlite.examples import SqliteExamples
from stoker.store.sqlite.experiences import SqliteExperiences
from stoker.store.sqlite.files import SqliteFiles
from stoker.store.sqlite.lifetimes import SqliteLifetimes
from stoker.store.sqlite.models import SqliteModels
from stoker.store.sqlite.outbox import SqliteOutbox
from stoker.store.sqlite.predictions import SqlitePredictions
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.scales import SqliteScales
from stoker.store.sqlite.uploads import SqliteUploads
from stoker.store.sqlite.versions import SqliteVersions
from stoker.store.sqlite.writer import Writer

READERS = 3

_SQL = queries("secrets")


class SqliteStore:
    """Implements ``ports.store.Store``; made by :meth:`open`."""

    def __init__(self, writer: Writer, readers: Readers, lock: BinaryIO):
        self._writer = writer
        self._readers = readers
        self._lock = lock
        self.files = SqliteFiles(writer, readers)
        self.predictions = SqlitePredictions(writer, readers, files_changed=self.files.forget_youngest)
        self.models = SqliteModels(writer, readers)
        self.versions = SqliteVersions(writer, readers)
        self.accounts = SqliteAccounts(writer, readers)
        self.deployments = SqliteDeployments(writer, readers)
        self.outbox = SqliteOutbox(writer, readers)
        self.collections = SqliteCollections(writer, readers)
        self.examples = SqliteExamples(writer, readers, self.files)
        self.aliases = SqliteAliases(writer, readers)
        self.experiences = SqliteExperiences(writer, readers)
        self.scales = SqliteScales(writer, readers)
        self.uploads = SqliteUploads(writer)
        self.claims = SqliteClaims(writer)
        self.lifetimes = SqliteLifetimes(writer, readers)

    @classmethod
    async def open(cls, data_dir: Path) -> "SqliteStore":
        """Opens the data directory, makes what is missing. Raises ``DataDirUnusable`` and says what to do."""
        lock, connections = await asyncio.to_thread(_open, data_dir)
        return cls(Writer(connections[0]), Readers(connections[1:]), lock)

    async def secret(self, name: str, fresh: str) -> str:
        """The secret of that name; ``fresh`` where there was none, kept from now on."""
        return await self._writer.do(_secret, name, fresh)

    async def sync(self) -> None:
        """All that has been written so far survives a power cut, too."""
        await self._writer.do(_touch)

    async def close(self) -> None:
        """Writes what is still waiting to be written, then closes; calling it again is harmless."""
        await self._readers.close()
        await self._writer.close()
        self._lock.close()


def _touch(db: sqlite3.Connection) -> None:
    """Writes a page as it is: a commit that changes nothing would not sync the log of those before it."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute(f"PRAGMA user_version = {version}")


def _open(data_dir: Path) -> tuple[BinaryIO, list[sqlite3.Connection]]:
    path = data_dir / database.FILE
    connections: list[sqlite3.Connection] = []
    lock: BinaryIO | None = None
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = database.lock(data_dir)
        connections.append(database.open_writer(path))
        database.bring_up_to_date(connections[0], schema=database.schema(), steps=database.migrations())
        search.prepare(connections[0])
        connections += [database.open_reader(path) for _ in range(READERS)]
    except (sqlite3.Error, OSError, DataDirUnusable) as error:
        for connection in connections:
            connection.close()
        if lock is not None:
            lock.close()
        if isinstance(error, DataDirUnusable):
            raise
        raise DataDirUnusable(f"The data directory {data_dir} cannot be opened: {error}.") from error
    return lock, connections


def _secret(db: sqlite3.Connection, name: str, fresh: str) -> str:
    db.execute(_SQL["keep"], (name, fresh))
    return str(db.execute(_SQL["get"], (name,)).fetchone()[0])
