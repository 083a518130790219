"""What the loop hands to a thread that talks to SQLite, and how the results come back.

Used by ``Writer`` and ``Readers``. Work is a plain function of a connection and its arguments. However much a
thread has done, it wakes the loop once for all of it.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

from stoker.core.errors import Conflict, StorageFailed, StorageFull


class Job(NamedTuple):
    future: "asyncio.Future[Any]"
    """Who waits."""
    work: Callable[..., Any]
    args: tuple[Any, ...]
    """What the work gets after the connection."""
    synced: bool = True
    """Whether it must be on disk when it is acknowledged; means nothing for reads."""
    forgets: bool = False
    """Whether what it overwrites must be in no file any more when it is acknowledged."""


Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]
"""Who waits, the result, or the error in its place."""


def tell(loop: asyncio.AbstractEventLoop, outcomes: list[Outcome]) -> None:
    """Gives each its result or error, in the loop."""
    call(loop, _resolve, outcomes)


def call(loop: asyncio.AbstractEventLoop, callback: Callable[..., Any], *args: Any) -> None:
    """Calls something in the loop, from a thread; nothing happens where the loop is closed: nobody waits."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        return


def failed(future: "asyncio.Future[Any]", error: BaseException) -> Outcome:
    """The error under the name that it has outside this package."""
    return future, None, _named(error)


def _resolve(outcomes: list[Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue  # whoever waited has been cancelled meanwhile
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _named(error: BaseException) -> BaseException:
    if not isinstance(error, sqlite3.Error):
        return error
    if isinstance(error, sqlite3.IntegrityError):
        ours = Conflict(f"That exists already ({error}).")
    elif error.sqlite_errorcode == sqlite3.SQLITE_FULL:
        ours = StorageFull()
    else:
        ours = StorageFailed(f"The database could not be read or written: {error}.")
    ours.__cause__ = error
    return ours
