"""The few threads that read, so that neither a query nor the disk holds up the event loop or the writer.

Used by ``SqliteStore`` and its parts.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from stoker.core.errors import StorageFailed
from stoker.store.sqlite.jobs import Job, Outcome, call, failed, tell

Ts = TypeVarTuple("Ts")
R = TypeVar("R")


class Readers:
    """A few threads, a connection each; none of them holds a snapshot longer than one piece of work.

    A read wakes one thread, the one that fell asleep last: its caches are warm. Who takes a read and leaves
    another wakes one more. Threads that share a ``SimpleQueue`` do so even where they leave none.
    """

    def __init__(self, connections: list[sqlite3.Connection]):
        self._loop = asyncio.get_running_loop()
        self._turns = threading.Lock()
        """Held while either of the next two is looked at and changed."""
        self._jobs: deque[Job | None] = deque()
        self._asleep: list[threading.Lock] = []
        """What wakes each thread that has nothing to do."""
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
        self._put(Job(future, work, args))
        return future

    async def close(self) -> None:
        """Reads what was asked for, then closes the connections."""
        if not self._closed:
            self._closed = True
            for _ in self._over:
                self._put(None)
        await asyncio.gather(*(asyncio.shield(over) for over in self._over))

    def _put(self, job: Job | None) -> None:
        with self._turns:
            if not self._jobs:
                self._wake_another()
            self._jobs.append(job)

    def _take(self, alarm: threading.Lock) -> Job | None:
        """The next job, once there is one."""
        while True:
            with self._turns:
                if self._jobs:
                    job = self._jobs.popleft()
                    if self._jobs:
                        self._wake_another()
                    return job
                self._asleep.append(alarm)
            alarm.acquire()

    def _wake_another(self) -> None:
        if self._asleep:
            self._asleep.pop().release()

    def _run(self, db: sqlite3.Connection, over: "asyncio.Future[None]") -> None:
        alarm = threading.Lock()
        alarm.acquire()
        while self._turn(db, alarm):
            pass
        db.close()
        call(self._loop, over.set_result, None)

    def _turn(self, db: sqlite3.Connection, alarm: threading.Lock) -> bool:
        """One read; False after the last. Nothing of it stays in memory while the next is awaited."""
        job = self._take(alarm)
        if job is None:
            return False
        try:
            outcome: Outcome = job.future, job.work(db, *job.args), None
        except Exception as error:  # noqa: BLE001  the edge of the loop: it belongs to whoever asked
            outcome = failed(job.future, error)
        tell(self._loop, [outcome])
        return True
