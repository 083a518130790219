"""Every prediction that is not over: by its names, and those that wait or run. Kept by dispatch alone.

Decides nothing. What many may wait for is never walked through here: each question takes time by its answer
(but that of a deployment's, which comes when one ends).
"""

from collections import OrderedDict, deque
from collections.abc import Collection, Mapping

from stoker.core.scaling import Pool
from stoker.runtime.job import Job
from stoker.runtime.live import Live


class Roster:
    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._streams: dict[str, Live] = {}
        self._running: dict[str, Job] = {}
        self._young: OrderedDict[str, Job] = OrderedDict()
        """Those that wait, as they came, but for the old."""
        self._old: dict[Pool, OrderedDict[str, Job]] = {}
        """Those that were found to have waited for long; no pool without any."""

    def __len__(self) -> int:
        return len(self._jobs)

    # -- kept by dispatch --------------------------------------------------------------------------

    def add(self, job: Job) -> None:
        """It was taken, and waits."""
        self._jobs[job.id] = self._young[job.id] = job
        self._streams[job.prediction.stream_key] = job.live

    def starts(self, job: Job) -> None:
        """Its run begins."""
        self._stops_waiting(job)
        self._running[job.id] = job

    def ends(self, job: Job) -> None:
        """Its end is decided, and is being written."""
        self._stops_waiting(job)

    def forget(self, job: Job) -> None:
        """It is over for everybody."""
        self._stops_waiting(job)
        self._jobs.pop(job.id, None)
        self._running.pop(job.id, None)
        self._streams.pop(job.prediction.stream_key, None)

    # -- asked -------------------------------------------------------------------------------------

    def get(self, id: str) -> Job | None:
        return self._jobs.get(id)

    def stream(self, key: str) -> Live | None:
        return self._streams.get(key)

    def all(self) -> Collection[Job]:
        return self._jobs.values()

    def running(self) -> Collection[Job]:
        """Those that began to run, until they are over."""
        return self._running.values()

    def of_deployment(self, ref: str) -> deque[Job]:
        """All of that deployment's; those that run come first, and once more among the others."""
        every = (*self._running.values(), *self._jobs.values())
        return deque(job for job in every if job.prediction.deployment == ref)

    def waiting(self, id: str) -> Job | None:
        """The one of that id, if it waits."""
        job = self._jobs.get(id)
        if job is None:
            return None
        return job if id in self._young or id in self._old.get(job.pool, ()) else None

    def old(self) -> Mapping[Pool, Mapping[str, Job]]:
        """Those that wait and were told by ``grown_old``."""
        return self._old

    def grown_old(self, created_until_us: int) -> list[Job]:
        """Those that wait and were made by then; each is told once."""
        found: list[Job] = []
        while self._young:
            job = next(iter(self._young.values()))
            if job.prediction.created_us > created_until_us:
                break
            del self._young[job.id]
            self._old.setdefault(job.pool, OrderedDict())[job.id] = job
            found.append(job)
        return found

    def _stops_waiting(self, job: Job) -> None:
        if self._young.pop(job.id, None) is not None:
            return
        line = self._old.get(job.pool)
        if line is not None and line.pop(job.id, None) is not None and not line:
            del self._old[job.pool]
