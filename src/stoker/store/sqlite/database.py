"""Opening the database file: connections, the schema and its versions, the lock on the data directory.

Used by ``SqliteStore.open``. Knows nothing of what the tables mean.
"""

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stoker.core.errors import DataDirUnusable

FILE = "stoker.db"
LOCK = "stoker.lock"
OLDEST_SQLITE = (3, 38, 0)
BUSY_S = 5.0
"""How long to wait for another process (a backup, a curious operator) that holds the database."""
APPLICATION = 0x53544F4B
"""``STOK``: tells our file from anybody else's (``PRAGMA application_id``)."""


class Migration(NamedTuple):
    """The step to a schema version from the one before it."""

    version: int
    sql: str


def lock(data_dir: Path) -> BinaryIO:
    """Takes the data directory for this process until the file is closed, which any death does too."""
    path = data_dir / LOCK
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        owner = file.read(32).decode("ascii", "replace").strip() or "unknown"
        file.close()
        raise DataDirUnusable(
            f"Another server (process {owner}) uses the data directory {data_dir}. "
            "Stop it first, or give this one its own directory with --data-dir."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n".encode())
    file.flush()
    return file


def open_writer(path: Path) -> sqlite3.Connection:
    """The connection that writes; an acknowledged commit is on disk (``synchronous=FULL``)."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise DataDirUnusable(
            f"This Python has SQLite {sqlite3.sqlite_version}; {oldest} or newer is needed."
        )
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    db = _connect(path)
    try:
        if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise DataDirUnusable(f"SQLite's WAL mode does not work in {path.parent}: use a local disk.")
        db.executescript(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000;"
            "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864; PRAGMA secure_delete = ON;"
        )
    except BaseException:
        db.close()
        raise
    return db


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    db = _connect(path)
    db.executescript("PRAGMA query_only = ON; PRAGMA cache_size = -4000;")
    return db


def migrations() -> list[Migration]:
    """The numbered steps, ``0002_what.sql`` and on; version 1 is the first schema that there was."""
    folder = resources.files("stoker.store.sqlite") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )
    return [Migration(int(file.name.split("_")[0]), file.read_text("utf-8")) for file in files]


def schema() -> str:
    """The whole schema as it is now."""
    return (resources.files("stoker.store.sqlite") / "schema.sql").read_text("utf-8")


def bring_up_to_date(db: sqlite3.Connection, *, schema: str, steps: Sequence[Migration]) -> None:
    """Makes the schema in a new file, or takes an older one there step by step, each whole or not at all."""
    newest = steps[-1].version if steps else 1
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    if version == 0 and not db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        _apply(db, f"PRAGMA application_id = {APPLICATION};{schema}", newest)
        return
    if application != APPLICATION:
        raise DataDirUnusable(f"{FILE} in the data directory is not a Stoker database. Move it away.")
    if version > newest:
        raise DataDirUnusable(
            f"The database is of a newer Stoker (schema {version}; this one knows up to {newest}). "
            "Upgrade Stoker, or restore the backup made before the upgrade."
        )
    for step in steps:
        if step.version > version:
            _apply(db, step.sql, step.version)


def _apply(db: sqlite3.Connection, sql: str, version: int) -> None:
    try:
        db.executescript(f"BEGIN IMMEDIATE;{sql};PRAGMA user_version = {version};COMMIT;")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
