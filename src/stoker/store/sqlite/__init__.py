"""The store in one SQLite file of the data directory: the embedded default."""

from stoker.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
