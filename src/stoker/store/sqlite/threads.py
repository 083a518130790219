"""The threads that talk to SQLite: one that writes, a few that read. The event loop never waits for a disk.

Used by ``SqliteStore`` and its parts. Work is a plain function of a connection and its arguments; it gives
its result, or raises. A thread never touches the loop but by one ``call_soon_threadsafe`` for all it did.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, TypeVarTuple

from stoker.core.errors import StorageFailed
from stoker.store.sqlite.failures import named

Ts = TypeVarTuple("Ts")
R = TypeVar("R")
Job = tuple["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]
Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Writer:
    """One thread, one connection, group commit: what arrives during a commit goes into the next one."""

    def __init__(self, db: sqlite3.Connection):
        self._db = db
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._over = self._loop.create_future()
        threading.Thread(target=self._run, name="store-writer", daemon=True).start()

    def do(self, work: Callable[[sqlite3.Connection, *Ts], R], *args: *Ts) -> "asyncio.Future[R]":
        """Runs the work in a transaction; done when that is on disk. Works run in the order of the calls."""
        if self._closed:
            raise StorageFailed("The store is closed.")
        future: asyncio.Future[R] = self._loop.create_future()
        self._jobs.put((future, work, args))
        return future

    async def close(self) -> None:
        """Writes what waits, then closes the connection."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.shield(self._over)

    def _run(self) -> None:
        closing = False
        while not closing:
            jobs, closing = self._gather()
            if jobs:
                _tell(self._loop, self._commit(jobs))
        self._db.close()
        _call(self._loop, self._over.set_result, None)

    def _gather(self) -> tuple[list[Job], bool]:
        """All that has arrived, at least one thing; and whether that is the end."""
        jobs: list[Job] = []
        job = self._jobs.get()
        try:
            while job is not None:
                jobs.append(job)
                job = self._jobs.get_nowait()
        except queue.Empty:
            return jobs, False
        return jobs, True

    def _commit(self, jobs: list[Job]) -> list[Outcome]:
        """Does all in one transaction. Where that fails as a whole, each alone: one cannot spoil another."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return [(future, None, named(error)) for future, _, _ in jobs]
        try:
            outcomes = [self._attempt(job) for job in jobs]
            self._db.execute("COMMIT")
        except (sqlite3.Error, MemoryError) as error:
            self._roll_back()
            if len(jobs) == 1:
                return [(jobs[0][0], None, named(error))]
            return [outcome for job in jobs for outcome in self._commit([job])]
        return outcomes

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")

    def _attempt(self, job: Job) -> Outcome:
        future, work, args = job
        try:
            return future, work(self._db, *args), None
        except Exception as error:  # the edge of the loop: it belongs to whoever asked
            if not self._db.in_transaction:
                raise  # SQLite took the whole transaction back (disk full, I/O error)
            return future, None, named(error)


class Readers:
    """A few threads, a connection each; none of them holds a snapshot longer than one piece of work."""

    def __init__(self, connections: list[sqlite3.Connection]):
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._over = [self._loop.create_future() for _ in connections]
        for number, (db, over) in enumerate(zip(connections, self._over, strict=True)):
            thread = threading.Thread(
                target=self._run, args=(db, over), name=f"store-reader-{number}", daemon=True
            )
            thread.start()

    def do(self, work: Callable[[sqlite3.Connection, *Ts], R], *args: *Ts) -> "asyncio.Future[R]":
        """Runs the work on a snapshot that has all that was acknowledged before this call."""
        if self._closed:
            raise StorageFailed("The store is closed.")
        future: asyncio.Future[R] = self._loop.create_future()
        self._jobs.put((future, work, args))
        return future

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            for _ in self._over:
                self._jobs.put(None)
        await asyncio.gather(*(asyncio.shield(over) for over in self._over))

    def _run(self, db: sqlite3.Connection, over: "asyncio.Future[None]") -> None:
        while (job := self._jobs.get()) is not None:
            future, work, args = job
            try:
                outcome: Outcome = future, work(db, *args), None
            except Exception as error:  # noqa: BLE001  the edge of the loop: it belongs to whoever asked
                outcome = future, None, named(error)
            _tell(self._loop, [outcome])
        db.close()
        _call(self._loop, over.set_result, None)


@contextmanager
def all_or_nothing(db: sqlite3.Connection) -> Iterator[None]:
    """For work of several writes: where one fails, none of them stays (others share the transaction)."""
    db.execute("SAVEPOINT work")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO work")
            db.execute("RELEASE work")
        raise
    db.execute("RELEASE work")


def _tell(loop: asyncio.AbstractEventLoop, outcomes: list[Outcome]) -> None:
    _call(loop, _resolve, outcomes)


def _resolve(outcomes: list[Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue  # whoever asked has been cancelled meanwhile
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[..., Any], *args: Any) -> None:
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more
