"""The one thread that writes: group commit, so that many writes share the wait for the disk.

Used by ``SqliteStore`` and its parts. A write is acknowledged after the commit that it was part of. One that
fails does not fail the others of its transaction, and none of them ends the thread.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar, TypeVarTuple

from stoker.core.errors import StorageFailed
from stoker.store.sqlite.jobs import Job, Outcome, call, failed, tell

log = logging.getLogger(__name__)

Ts = TypeVarTuple("Ts")
R = TypeVar("R")

AT_ONCE = 1000
"""Most works in one transaction; beyond that a commit is shared enough, and the first should not wait."""


class Writer:
    """One thread, one connection, group commit: what arrives during a commit goes into the next one."""

    def __init__(self, db: sqlite3.Connection):
        self._db = db
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._syncs = True
        self._leaks = False
        """Whether the log may still hold what was to be forgotten."""
        self._over = self._loop.create_future()
        threading.Thread(target=self._run, name="store-writer", daemon=True).start()

    def do(
        self,
        work: Callable[[sqlite3.Connection, *Ts], R],
        *args: *Ts,
        synced: bool = True,
        forgets: bool = False,
    ) -> "asyncio.Future[R]":
        """Runs the work in a transaction; done when that is committed. Works run in the order of the calls.

        A commit that is not ``synced`` survives the death of the process, and a power cut once a later one
        is: the log is written in order. After one that ``forgets``, what it has overwritten or deleted is in
        no file any more.
        """
        if self._closed:
            raise StorageFailed("The store is closed.")
        future: asyncio.Future[R] = self._loop.create_future()
        self._jobs.put(Job(future, work, args, synced, forgets))
        return future

    async def close(self) -> None:
        """Writes what waits, then closes the connection."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.shield(self._over)

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            self._db.close()
            call(self._loop, self._over.set_result, None)

    def _turn(self) -> bool:
        """One transaction; False after the last. Nothing of it stays in memory while the next is awaited."""
        jobs, closing = self._gather()
        try:
            outcomes = self._commit(jobs) if jobs else []
            self._forget(jobs)
        except Exception as error:
            log.exception("a transaction of %d works failed in a way that was not foreseen", len(jobs))
            self._roll_back()
            outcomes = [failed(job.future, error) for job in jobs]
        tell(self._loop, outcomes)
        return not closing

    def _gather(self) -> tuple[list[Job], bool]:
        """What has arrived, at least one thing; and whether that is the end."""
        jobs: list[Job] = []
        job = self._jobs.get()
        try:
            while job is not None:
                jobs.append(job)
                if len(jobs) == AT_ONCE:
                    return jobs, False
                job = self._jobs.get_nowait()
        except queue.Empty:
            return jobs, False
        return jobs, True

    def _commit(self, jobs: list[Job]) -> list[Outcome]:
        """Does all in one transaction. Where that fails as a whole, each alone: one cannot spoil another."""
        try:
            self._sync(any(job.synced for job in jobs))
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return [failed(job.future, error) for job in jobs]
        try:
            outcomes = [self._attempt(job) for job in jobs]
            self._db.execute("COMMIT")
        except (sqlite3.Error, MemoryError) as error:
            self._roll_back()
            if len(jobs) == 1:
                return [failed(jobs[0].future, error)]
            return [outcome for job in jobs for outcome in self._commit([job])]
        return outcomes

    def _sync(self, wanted: bool) -> None:
        """Whether the next commit waits for the disk."""
        if wanted != self._syncs:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")
            self._syncs = wanted

    def _forget(self, jobs: list[Job]) -> None:
        """Empties the log, which has the old pages; once more after the next works if a reader is in the way.

        In the database itself SQLite overwrites what is deleted (``secure_delete``).
        """
        if self._leaks or any(job.forgets for job in jobs):
            with suppress(sqlite3.Error):
                self._leaks = True
                self._leaks = bool(self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")

    def _attempt(self, job: Job) -> Outcome:
        try:
            return job.future, job.work(self._db, *job.args), None
        except Exception as error:  # the edge of the loop: it belongs to whoever asked
            if not self._db.in_transaction:
                raise  # SQLite took the whole transaction back (disk full, I/O error)
            return failed(job.future, error)


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
