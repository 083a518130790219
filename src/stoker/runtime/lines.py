"""The lines of what is ready for an instance, one for each pool, and how much may stand in them.

Used by dispatch alone. What shares a run stands in line once, at the place of who leads it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from stoker.core.errors import TooManyWaiting, Unavailable
from stoker.core.queue import FairQueue
from stoker.core.scaling import Pool
from stoker.core.settings import Settings
from stoker.runtime.job import Job

COME_BACK_S = 30
"""A line that long does not get short in an instant."""


class Lines:
    def __init__(self, settings: Settings):
        self._settings = settings
        self._queues: dict[Pool, FairQueue[Job]] = {}
        """None of them is empty."""
        self._of_account: Counter[str] = Counter()
        """How many of each account's stand in any line."""

    def check_room(self, pool: Pool, account: str) -> None:
        """Raises ``TooManyWaiting`` or ``Unavailable`` where the next one would wait and may not."""
        length = self.length(pool)
        if not length:
            return
        limit = self._settings.queue_limit_per_account
        if limit and self._of_account[account] >= limit:
            raise TooManyWaiting(limit, reset_s=COME_BACK_S)
        limit = self._settings.queue_limit
        if limit and length >= limit:
            raise Unavailable(f"{limit} predictions wait for this model, and no more may. Try again later.")

    def length(self, pool: Pool) -> int:
        return len(self._queues.get(pool, ()))

    def places(self, pool: Pool, wanted: Iterable[Job]) -> dict[str, int]:
        """By id, how many have their turn before each of those; without those that stand in no line."""
        queue = self._queues.get(pool)
        if queue is None:
            return {}
        of_account: dict[str, set[str]] = {}
        for job in wanted:
            of_account.setdefault(job.prediction.account, set()).add(job.id)
        found: dict[str, int] = {}
        for account, ids in of_account.items():
            found |= queue.before(account, ids)
        return found

    def join(self, job: Job) -> None:
        """Waits for its turn from now on."""
        account = job.prediction.account
        self._queues.setdefault(job.pool, FairQueue()).push(account, job.id, job, job.priority)
        self._of_account[account] += 1

    def hurry(self, job: Job) -> None:
        """Has another priority where it has a place: somebody more urgent shares its run now."""
        queue = self._queues.get(job.pool)
        if queue is not None:
            queue.lift(job.prediction.account, job.id, job.priority)

    def next(self, pool: Pool) -> Job | None:
        """Who has the turn, and stands in line no more."""
        queue = self._queues.get(pool)
        if queue is None:
            return None
        job = queue.pop()
        self._left(job, queue)
        return job

    def dissolve(self, pool: Pool) -> Iterable[Job]:
        """Nobody stands in that line any more; those who did, in turn."""
        queue = self._queues.pop(pool, None)
        if queue is None:
            return ()
        for account, count in queue.of_accounts().items():
            self._leave(account, count)
        return _popped(queue)

    def leave(self, job: Job) -> None:
        """Gives up its place, where it has one."""
        queue = self._queues.get(job.pool)
        if queue is not None and queue.remove(job.prediction.account, job.id):
            self._left(job, queue)

    def _left(self, job: Job, queue: FairQueue[Job]) -> None:
        self._leave(job.prediction.account, 1)
        if not queue:
            del self._queues[job.pool]

    def _leave(self, account: str, count: int) -> None:
        self._of_account[account] -= count
        if not self._of_account[account]:
            del self._of_account[account]


def _popped(queue: FairQueue[Job]) -> Iterator[Job]:
    """All in turn. A long line that is freed as a whole would take as long as a turn of the loop may."""
    while queue:
        yield queue.pop()
