"""Dispatch: the one owner of the state of every prediction that is not over.

The api submits and cancels; members (through jobs) say what runs emit; the fleet says where there is room.
Dispatch decides at once, in memory, in one turn of the loop, and writes each decision to the store in
the order in which it was taken. What others can see (``Live.seen``) follows when the store has it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stoker.core.catalog import Version
from stoker.core.errors import Unavailable
from stoker.core.logs import last_of
from stoker.core.prediction import INTERRUPTED, Prediction, Status
from stoker.core.scaling import Pool
from stoker.core.settings import Settings
from stoker.ports.clock import Clock
from stoker.runtime import flights, stopping
from stoker.runtime.clearing import Clearing, emptied
from stoker.runtime.deployed import Deployed
from stoker.runtime.errands import Errands
from stoker.runtime.fleet import Fleet
from stoker.runtime.job import Job
from stoker.runtime.ledger import Ledger
from stoker.runtime.lifecycle import LifeCycle
from stoker.runtime.lines import Lines
from stoker.runtime.live import Live
from stoker.runtime.member import Member
from stoker.runtime.overdue import Overdue
from stoker.runtime.roster import Roster

log = logging.getLogger(__name__)

START_LOG_BYTES = 64 * 1024
"""Of what a start that failed has printed, for each that waited for it: there may be a hundred thousand."""


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
        self.roster = Roster()
        self.lines = Lines(settings)
        self._ledger = ledger
        self._fleet = fleet
        self._deployed = deployed
        self._errands = errands
        self._clock = clock
        self._settings = settings
        self._watched = watched
        self._life = LifeCycle(ledger=ledger, clock=clock, refused=self._reject, over=self._forget)
        self._overdue = Overdue(settings)
        self._flights = flights.Flights()
        self._clearing = Clearing()
        fleet.work = self
        deployed.work = self

    # -- asked by the api --------------------------------------------------------------------------

    def submit(
        self, prediction: Prediction, version: Version, *, told: bool = True, answer: Prediction | None = None
    ) -> Live:
        """Takes a prediction: into a free slot in this very turn, else into the queue.

        Its client may be told of it once ``Live.accepted`` is done. ``told`` is false where the client
        waits for the end and is told nothing before. An earlier prediction's ``answer`` ends it at once.
        Raises ``Unavailable`` while stopping, and what ``Deployed.check`` and ``Lines.check_room`` raise.
        """
        if self.draining:
            raise Unavailable
        self._deployed.check(prediction)
        if answer is None:
            self.lines.check_room(self._deployed.pool(prediction, version), prediction.account)
        job = self._adopt(prediction, version, synced=told or prediction.webhook is not None)
        if answer is not None:
            self._life.answer(job, answer)
            self._end(job, Status.SUCCEEDED)
            return job.live
        if (leader := self._flights.leader(job)) is not None:
            self._follow(job, leader)
            return job.live
        self._fleet.asked(job.pool, version)
        if self._errands.equip(job):
            self._offer(job)
            self._life.accept(job)
        else:
            self._life.accept(job)
            self._errands.prepare(job, then=self._offer)
            self._fleet.want(job.pool, version)  # it boots while the files come
        return job.live

    def live(self, id: str) -> Live | None:
        """The log of a prediction that is not over."""
        job = self.roster.get(id)
        return job.live if job else None

    def live_by_stream_key(self, key: str) -> Live | None:
        return self.roster.stream(key)

    async def cancel(self, id: str) -> Prediction | None:
        """Ends it as canceled, durably; None where it is over (or never was)."""
        job = self.roster.get(id)
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
            if self._deployed.is_disabled(prediction.deployment):
                self._cancel(job)
            elif (leader := self._flights.leader(job)) is not None:
                self._follow(job, leader)
            else:
                self._errands.prepare(job, then=self._offer)

    async def drain(self, grace_s: float, *, hurry: asyncio.Event | None = None) -> None:
        """No new runs; those that run may end by themselves within the time, then they are interrupted.

        ``hurry`` ends the time early. What waits stays in the store and runs after the next start; so ends,
        as interrupted, what cannot be written now.
        """
        self.draining = True
        running = list(self.roster.running())
        waiting = len(self.roster) - len(running)
        log.info("stopping: %d predictions run, %d wait; a second signal hurries", len(running), waiting)
        await stopping.let_end(running, grace_s, hurry=hurry or asyncio.Event())
        self._clearing.close()
        for job in self.roster.all():
            job.live.release()
        self._errands.close()
        await self._ledger.close()

    def step(self, now_us: int) -> None:
        """The regular look at the clock: deadlines, run time limits, models that do not stop."""
        self._overdue.step(
            now_us, running=self.roster.running(), members=self._fleet.members(), expire=self._expire
        )

    # -- told by the fleet (fleet.Work) ------------------------------------------------------------

    def waiting(self, pool: Pool) -> int:
        """How many; while all that will wait are still being prepared, they are one together."""
        if self.draining or self._deployed.is_disabled(pool.deployment):
            return 0
        return self.lines.length(pool) or int(self._errands.prepares_for(pool))

    def fill(self, member: Member) -> None:
        while member.has_slot and not self.draining and (job := self.lines.next(member.pool)) is not None:
            self._run(job, member)

    def start_failed(self, pool: Pool, error: str, logs: str) -> None:
        """Whoever waits for it now has failed; whoever comes from now on waits for the next start."""
        told = last_of(logs, START_LOG_BYTES)

        def fail(job: Job) -> None:
            job.log(told)
            job.fail(error)

        self._clearing.end(self._dissolve(pool), fail)

    # -- told by deployments (deployed.Work) -------------------------------------------------------

    def cancel_all(self, deployment: str) -> None:
        """What runs first; what waits has no turn any more, whenever its own end comes."""
        jobs = self.roster.of_deployment(deployment)
        for pool in {job.pool for job in jobs}:
            self._dissolve(pool)
        self._clearing.end(emptied(jobs), self._cancel)

    # -- told by jobs (job.Keeper) -----------------------------------------------------------------

    def end(self, job: Job, status: Status, error: str | None = None) -> None:
        """The one way to an end; the first to come decides it."""
        if job.ended or job.publishing:
            if not job.is_wanted:
                self._release(job)
            return
        if status is Status.SUCCEEDED and job.prediction.kind == "training":
            job.publishing = True
            self._errands.publish(job, end=self._end)
        else:
            self._end(job, status, error)

    def keep_files(self, job: Job) -> None:
        self._errands.keep_files(job)

    def keep_checkpoint(self, job: Job) -> None:
        self._ledger.keep_output(job.live)

    # -- deciding ----------------------------------------------------------------------------------

    def _follow(self, job: Job, leader: Job) -> None:
        """Shares the run that is on its way, which is as urgent as the most urgent of those who share it."""
        level = flights.follow(job, leader)
        self.lines.hurry(leader)
        if level.prediction.started_us is not None and not job.ended:
            self._start(job)
        self._life.accept(job)

    def _withdraw(self, job: Job, why: str) -> None:
        """Its prediction wants no run any more; the run goes on where others share it."""
        unwanted = flights.leave(job, self._clock.now_us())
        if unwanted is not None:
            self.lines.leave(unwanted)
            unwanted.stop(why)
            if unwanted is not job:
                self._release(unwanted)

    def _end(self, job: Job, status: Status, error: str | None = None) -> None:
        if job.leader is not None:
            self._withdraw(job, "nobody waits for it any more")
        self.roster.ends(job)
        self._life.end(job, status, error)

    def _adopt(self, prediction: Prediction, version: Version, *, synced: bool = True) -> Job:
        live = Live(
            prediction,
            iterates=version.iterates and prediction.kind == "prediction",
            log_limit_bytes=self._settings.log_limit_bytes,
            synced=synced,
        )
        pool, room = self._deployed.pool(prediction, version), self._settings.output_limit_bytes
        job = Job(prediction, version, live, self, pool=pool, room_bytes=room)
        self.roster.add(job)
        self._overdue.add(job)
        self._watched(live)
        return job

    def _dissolve(self, pool: Pool) -> Iterable[Job]:
        """Nobody waits for that pool any more, and nobody joins those who did, who still have to end."""
        self._flights.close(pool)
        return self.lines.dissolve(pool)

    def _offer(self, job: Job) -> None:
        """Into a free slot if nobody is before it, else into the queue."""
        if self._deployed.is_disabled(job.prediction.deployment):  # since its files began to come
            self._cancel(job)
            return
        is_first = not self.lines.length(job.pool) and not self.draining
        member = self._fleet.free(job.pool) if is_first else None
        if member is not None:
            self._run(job, member)
            return
        self.lines.join(job)
        self._fleet.want(job.pool, job.version)

    def _run(self, job: Job, member: Member) -> None:
        for one in (job, *job.followers):
            if not one.ended:
                self._start(one)
        member.take(job)

    def _start(self, job: Job) -> None:
        self._life.start(job)
        self.roster.starts(job)

    def _expire(self, ids: Sequence[str]) -> None:
        self._clearing.end([job for id in ids if (job := self.roster.get(id))], self._cancel)

    def _cancel(self, job: Job) -> None:
        if not job.ended:
            self._withdraw(job, "cancelled")
            self.end(job, Status.CANCELED)

    # -- carrying out ------------------------------------------------------------------------------

    def _reject(self, job: Job) -> None:
        """It could not be written, so it was never accepted."""
        self._withdraw(job, "it could not be written")
        job.ended = True
        self._forget(job)
        job.live.release()

    def _forget(self, job: Job) -> None:
        self.roster.forget(job)
        self._overdue.forget(job)
        if not job.followers:
            self._release(job)

    def _release(self, job: Job) -> None:
        """Its run is over for everybody."""
        self._flights.forget(job)
        self._errands.forget(job.id)
