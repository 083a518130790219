"""What SQLite's errors are called outside this package."""

import sqlite3

from stoker.core.errors import Conflict, StorageFailed


def named(error: BaseException) -> BaseException:
    """The error for the caller: ours where SQLite raised it, else the same."""
    if isinstance(error, sqlite3.IntegrityError):
        return _caused(Conflict(f"That exists already ({error})."), error)
    if isinstance(error, sqlite3.Error):
        return _caused(StorageFailed(f"The database could not be read or written: {error}."), error)
    return error


def _caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error
