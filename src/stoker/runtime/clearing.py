"""Ends many predictions a few at a time, so that the event loop has turns for others meanwhile.

Used by dispatch alone, which says who and how. The first few end at once, the others once those before them
are written: as many writes on their way as there were predictions in line would hold up the loop as well. A
server that dies meanwhile leaves the rest in its store as they were, to be taken up by the next.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from stoker.runtime.job import Job

log = logging.getLogger(__name__)

SLICE = 100
"""So many predictions end in one turn of the loop, with those that share their runs: some milliseconds."""
WRITTEN_WITHIN_S = 1.0
"""How long a slice is waited for: what cannot be written must not keep all the others from ending."""

End = Callable[[Job], None]
"""Ends one; does nothing where it is over by then."""


def emptied(jobs: deque[Job]) -> Iterator[Job]:
    """Each is freed when it has ended: all of many at once would take as long as a turn of the loop may."""
    while jobs:
        yield jobs.popleft()


class Clearing:
    def __init__(self) -> None:
        self._left: deque[tuple[Iterator[Job], End, Job]] = deque()
        """Who is still to end, how, and the last who has. They take turns."""
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def end(self, jobs: Iterable[Job], how: End) -> None:
        """Calls ``how`` with each, in this order."""
        self._go(iter(jobs), how)
        if self._left and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._go_on())

    def close(self) -> None:
        """No more ends; what has not ended waits for the next server."""
        self._closed = True
        self._left.clear()
        if self._task is not None:
            self._task.cancel()

    async def _go_on(self) -> None:
        while self._left:
            jobs, how, last = self._left.popleft()
            await asyncio.sleep(0)
            await last.live.wait_over(WRITTEN_WITHIN_S)
            self._go(jobs, how)
        self._task = None

    def _go(self, jobs: Iterator[Job], how: End) -> None:
        """One slice of them."""
        if self._closed:
            return
        room = SLICE
        for job in jobs:
            room -= 1 + len(job.followers)
            self._end(job, how)
            if room <= 0:
                self._left.append((jobs, how, job))
                return

    def _end(self, job: Job, how: End) -> None:
        try:
            how(job)
        except Exception:  # the edge of a loop: one that goes wrong must not keep the others from ending
            log.exception("prediction %s could not be ended", job.id)
