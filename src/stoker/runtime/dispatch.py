"""Dispatch: the one owner of the state of every prediction that is not over.

The api submits and cancels; members (through jobs) say what runs emit; the fleet says where there is room.
Dispatch decides at once, in memory, in one turn of the loop, and writes each decision to the store in
the order in which it was taken. What others can see (``Live.seen``) follows when the store has it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from stoker.core.catalog import Version
from stoker.core.errors import Unavailable
from stoker.core.prediction import INTERRUPTED, Ending, Prediction, Status, final_metrics, finished, started
from stoker.core.queue import FairQueue
from stoker.core.scaling import Pool
from stoker.core.settings import Settings
from stoker.ports.clock import Clock
from stoker.runtime.deployed import Deployed
from stoker.runtime.errands import Errands
from stoker.runtime.fleet import Fleet
from stoker.runtime.job import Job
from stoker.runtime.ledger import Ledger
from stoker.runtime.live import Live
from stoker.runtime.member import Member

log = logging.getLogger(__name__)

WRITE_WITHIN_S = 5.0
"""How long a stop waits for the disk; the next start finds what was not written and ends it."""


class Dispatcher:
    def __init__(
        self,
        *,
        ledger: Ledger,
        fleet: Fleet,
        deployed: Deployed,
        errands: Errands,
        clock: Clock,
        settings: Settings,
        watched: Callable[[Live], None],
    ):
        """``watched`` is called with the log of each prediction that is taken."""
        self.draining = False
        self._ledger = ledger
        self._fleet = fleet
        self._deployed = deployed
        self._errands = errands
        self._clock = clock
        self._settings = settings
        self._watched = watched
        self._jobs: dict[str, Job] = {}
        self._streams: dict[str, Live] = {}
        self._queues: dict[Pool, FairQueue[Job]] = {}
        fleet.work = self
        deployed.work = self

    # -- asked by the api --------------------------------------------------------------------------

    def submit(self, prediction: Prediction, version: Version, *, told: bool = True) -> Live:
        """Takes a prediction: into a free slot in this very turn, else into the queue.

        Its client may be told of it once ``Live.accepted`` is done. ``told`` is false where the client
        waits for the end and is told nothing before. Raises ``Unavailable`` while stopping, and what
        ``Deployed.check`` raises.
        """
        if self.draining:
            raise Unavailable
        self._deployed.check(prediction)
        job = self._adopt(prediction, version, synced=told or prediction.webhook is not None)
        self._fleet.asked(job.pool)
        if self._errands.needs_files(prediction, job.input, version):
            self._write_accept(job)
            self._errands.prepare(job, then=self._offer)
            self._fleet.want(job.pool, version)  # it boots while the files come
        else:
            self._offer(job)
            if not job.written:
                self._write_accept(job)
        return job.live

    def live(self, id: str) -> Live | None:
        """The log of a prediction that is not over."""
        job = self._jobs.get(id)
        return job.live if job else None

    def live_by_stream_key(self, key: str) -> Live | None:
        return self._streams.get(key)

    def waits(self) -> Iterator[Job]:
        """All that have not begun to run."""
        return (job for job in self._jobs.values() if not self._runs(job) and not job.ended)

    def waiting_job(self, id: str) -> Job | None:
        """One of those."""
        job = self._jobs.get(id)
        return None if job is None or job.ended or self._runs(job) else job

    def line(self, pool: Pool) -> Iterable[Job]:
        """Those of the pool that are ready for an instance, in turn."""
        return self._queues.get(pool, ())

    async def cancel(self, id: str) -> Prediction | None:
        """Ends it as canceled, durably; None where it is over (or never was)."""
        job = self._jobs.get(id)
        if job is None:
            return None
        self._cancel(job)
        await job.live.wait_over()
        return job.live.seen

    def instances(self) -> list[dict[str, Any]]:
        return self._fleet.instances()

    # -- life of the server ------------------------------------------------------------------------

    async def recover(self) -> None:
        """After a start: what was running when the last server died has failed, what waited waits again."""
        for prediction, version in await self._ledger.recover(INTERRUPTED):
            job = self._adopt(prediction, version)
            job.written = True
            job.live.accepted.set_result(None)
            if self._deployed.is_disabled(prediction):
                self._cancel(job)
            else:
                self._errands.prepare(job, then=self._offer)

    async def drain(self, grace_s: float, *, hurry: asyncio.Event | None = None) -> None:
        """No new runs; those that run may end by themselves within the time, then they are interrupted.

        ``hurry`` ends the time early. What waits stays in the store and runs after the next start; so ends,
        as interrupted, what cannot be written now.
        """
        self.draining = True
        running = [job for job in self._jobs.values() if self._runs(job)]
        waiting = len(self._jobs) - len(running)
        log.info("stopping: %d predictions run, %d wait; a second signal hurries", len(running), waiting)
        over = asyncio.gather(*(job.live.wait_over() for job in running))
        hurried = asyncio.ensure_future((hurry or asyncio.Event()).wait())
        await asyncio.wait([over, hurried], timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        for job in running:
            if not job.ended:
                job.fail(INTERRUPTED)
        await asyncio.wait([over], timeout=WRITE_WITHIN_S)
        for job in self._jobs.values():
            job.live.release()
        self._errands.close()
        await self._ledger.close()

    def step(self, now_us: int) -> None:
        """The regular look at the clock: deadlines, run time limits, models that do not stop."""
        for job in list(self._jobs.values()):
            deadline = job.prediction.deadline_us
            if deadline is not None and now_us >= deadline:
                self._cancel(job)
            elif self._overran(job, now_us):
                job.stop("run time limit")
                kind, limit_s = job.prediction.kind.capitalize(), self._run_limit_s(job)
                job.fail(f"{kind} timed out after {limit_s:g} seconds (E6716)")
        for member in self._fleet.members():
            self._check_stopping(member, now_us)

    # -- told by the fleet (fleet.Work) ------------------------------------------------------------

    def waiting(self, pool: Pool) -> int:
        """How many; while all that will wait are still being prepared, they are one together."""
        if self.draining:
            return 0
        return len(self._queues.get(pool, ())) or int(self._errands.prepares_for(pool))

    def fill(self, member: Member) -> None:
        queue = self._queues.get(member.pool)
        while queue and member.has_slot and not self.draining:
            self._run(queue.pop(), member)

    def start_failed(self, pool: Pool, error: str, logs: str) -> None:
        queue = self._queues.pop(pool, None)
        while queue:
            job = queue.pop()
            job.log(logs)
            job.fail(error)

    # -- told by deployments (deployed.Work) -------------------------------------------------------

    def cancel_all(self, deployment: str) -> None:
        for job in list(self._jobs.values()):
            if job.prediction.deployment == deployment:
                self._cancel(job)

    # -- told by jobs (job.Keeper) -----------------------------------------------------------------

    def end(self, job: Job, status: Status, error: str | None = None) -> None:
        """The one way to an end; the first to come decides it."""
        if job.ended or job.publishing:
            return
        if status is Status.SUCCEEDED and job.prediction.kind == "training":
            job.publishing = True
            self._errands.publish(job, end=self._end)
        else:
            self._end(job, status, error)

    def keep_files(self, job: Job) -> None:
        self._errands.keep_files(job)

    # -- deciding ----------------------------------------------------------------------------------

    def _end(self, job: Job, status: Status, error: str | None = None) -> None:
        job.ended = True
        now_us = self._clock.now_us()
        before = job.prediction
        ending = Ending(
            status=status,
            completed_us=now_us,
            output=job.live.output(),
            logs=job.live.logs,
            error=error,
            metrics=final_metrics(
                job.live.metrics,
                created_us=before.created_us,
                started_us=before.started_us,
                completed_us=now_us,
            ),
        )
        job.prediction = finished(before, ending)
        self._ledger.finish(job.live, job.prediction, ending, then=lambda: self._forget(job))

    def _adopt(self, prediction: Prediction, version: Version, *, synced: bool = True) -> Job:
        live = Live(
            prediction,
            iterates=version.iterates and prediction.kind == "prediction",
            log_limit_bytes=self._settings.log_limit_bytes,
            synced=synced,
        )
        pool, room = self._deployed.pool(prediction), self._settings.output_limit_bytes
        job = Job(prediction, version, live, self, pool=pool, room_bytes=room)
        self._jobs[prediction.id] = job
        self._streams[prediction.stream_key] = live
        self._watched(live)
        return job

    def _offer(self, job: Job) -> None:
        """Into a free slot if nobody is before it, else into the queue."""
        queue = self._queues.setdefault(job.pool, FairQueue())
        member = self._fleet.free(job.pool) if not queue and not self.draining else None
        if member is not None:
            self._run(job, member)
            return
        queue.push(job.prediction.account, job.id, job)
        self._fleet.want(job.pool, job.version)

    def _run(self, job: Job, member: Member) -> None:
        job.prediction = started(job.prediction, self._clock.now_us())
        if job.written:
            self._ledger.start(job.live, job.prediction)
        else:
            self._write_accept(job)
        member.take(job)

    def _cancel(self, job: Job) -> None:
        self._unqueue(job)
        job.stop("cancelled")
        self.end(job, Status.CANCELED)

    def _runs(self, job: Job) -> bool:
        return job.prediction.started_us is not None

    def _overran(self, job: Job, now_us: int) -> bool:
        since = job.prediction.started_us
        return since is not None and not job.ended and now_us - since >= self._run_limit_s(job) * 1e6

    def _run_limit_s(self, job: Job) -> float:
        trains = job.prediction.kind == "training"
        return self._settings.train_timeout_s if trains else self._settings.run_timeout_s

    def _check_stopping(self, member: Member, now_us: int) -> None:
        """Kills the instance of a model that does not stop, unless others still run in it."""
        limit_us = self._settings.cancel_grace_s * 1e6
        late = [j for j in member.runs.values() if j.stop_asked_us and now_us - j.stop_asked_us >= limit_us]
        if not late:
            return
        member.unhealthy = member.unhealthy or "a run did not stop when it was cancelled"
        if len(late) == len(member.runs):
            member.kill(
                f"it did not stop within {self._settings.cancel_grace_s:g} seconds of being cancelled"
            )

    # -- carrying out ------------------------------------------------------------------------------

    def _write_accept(self, job: Job) -> None:
        job.written = True
        self._ledger.accept(job.live, job.prediction, refused=lambda: self._reject(job))

    def _reject(self, job: Job) -> None:
        """It could not be written, so it was never accepted."""
        self._unqueue(job)
        job.stop("it could not be written")
        job.ended = True
        self._forget(job)
        job.live.release()

    def _unqueue(self, job: Job) -> None:
        queue = self._queues.get(job.pool)
        if queue is not None:
            queue.remove(job.prediction.account, job.id)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        if job.pool.training is not None:
            self._queues.pop(job.pool, None)
        self._streams.pop(job.prediction.stream_key, None)
        self._errands.forget(job.id)
