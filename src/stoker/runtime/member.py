"""One instance as the fleet sees it: its state, its slots, and the runs in them.

Listens to the instance (``ports.engine.Listener``) and passes what it tells to the job or to the fleet.
"""

from typing import Any, Literal, Protocol

from stoker.core.catalog import Version
from stoker.core.logs import Log
from stoker.core.prediction import Status
from stoker.core.scaling import InstanceView, Pool, State
from stoker.ports.clock import Clock
from stoker.ports.engine import Instance, MetricMode, OutputFile, Run, Usage
from stoker.runtime.boots import Boot, Stage
from stoker.runtime.job import Job


class Owner(Protocol):
    """What a member tells the fleet."""

    def is_ready(self, member: "Member") -> None: ...

    def has_run(self, member: "Member", took_s: float) -> None:
        """A run has succeeded after so many seconds."""
        ...

    def has_room(self, member: "Member") -> None: ...

    def setup_failed(self, member: "Member", error: str) -> None: ...

    def outgrew(self, member: "Member") -> None:
        """It was ended because there was no memory left; it is gone soon."""
        ...

    def is_gone(self, member: "Member", reason: str) -> None: ...


class Member:
    def __init__(
        self,
        id: str,
        pool: Pool,
        version: Version,
        owner: Owner,
        clock: Clock,
        *,
        wanted_us: int,
        log_limit_bytes: int,
    ):
        self.id = id
        self.pool = pool
        self.version = version
        self.state: State = "starting"
        self.slots = 0
        self.runs: dict[int, Job] = {}
        self.gpus: tuple[int, ...] = ()
        """Indexes of those that it was given."""
        self.usage = Usage(0)
        """What it took when it was last looked at."""
        self.ready_us: int | None = None
        self.leaving = False
        """Whether it makes room for another pool's: it takes nothing more."""
        self.unhealthy: str | None = None
        """Why it takes no more work."""
        self.begun_us = self.idle_since_us = clock.now_us()
        self.instance: Instance | None = None
        self.boot = Boot(instance=id, version=version, pool=pool, wanted_us=wanted_us, begun_us=self.begun_us)
        self._owner = owner
        self._clock = clock
        self.setup_log = Log(log_limit_bytes)
        self._numbers = 0
        self._touched: set[Job] = set()
        self._has_outgrown = False

    # -- asked by the fleet and dispatch -----------------------------------------------------------

    @property
    def has_slot(self) -> bool:
        takes = self.state == "ready" and self.unhealthy is None and not self.leaving
        return takes and len(self.runs) < self.slots

    @property
    def stage(self) -> Stage:
        """How far its boot has come."""
        return self.boot.stage

    def view(self) -> InstanceView:
        return InstanceView(
            id=self.id,
            state=self.state,
            busy=len(self.runs),
            healthy=self.unhealthy is None,
            idle_since_us=self.idle_since_us,
            leaving=self.leaving,
        )

    def running_since_us(self) -> list[int]:
        """When each of its runs began."""
        return [since for job in self.runs.values() if (since := job.prediction.started_us) is not None]

    def take(self, job: Job) -> None:
        """Hands the job to the instance; the caller knows that a slot is free."""
        assert self.instance is not None
        self._numbers += 1
        self.runs[self._numbers] = job
        job.member, job.number = self, self._numbers
        self.instance.predict(Run(number=job.number, prediction=job.id, input=job.input, files=job.files))

    def stop_run(self, job: Job) -> None:
        assert self.instance is not None
        job.stop_asked_us = self._clock.now_us()
        if job.number in self.runs:
            self.instance.cancel(job.number)

    def kill(self, reason: str) -> None:
        if self.instance is not None:
            self.instance.kill(reason)

    # -- told by the instance ----------------------------------------------------------------------

    def reached(self, stage: Stage) -> None:
        self.boot.reached(stage, self._clock.now_us())

    def ready(self, *, slots: int) -> None:
        if self.state != "starting":
            return
        self.slots = slots
        self.state = "ready"
        self.ready_us = self.idle_since_us = self._clock.now_us()
        self.boot.reached("ready", self.ready_us)
        self._owner.is_ready(self)

    def setup_failed(self, error: str) -> None:
        self.boot.failed(error, self._clock.now_us())
        self.state = "stopping"
        self._owner.setup_failed(self, error)

    def instance_log(self, text: str) -> None:
        if self.state == "starting":
            self.setup_log.add(text)

    def log(self, run: int, text: str) -> None:
        if job := self.runs.get(run):
            job.log(text)
            self._touched.add(job)

    def output(self, run: int, value: bytes, *, item: bool, files: list[OutputFile]) -> None:
        if job := self.runs.get(run):
            job.output(value, item=item, files=files)
            self._touched.add(job)

    def metric(self, run: int, name: str, value: Any, mode: MetricMode) -> None:
        if job := self.runs.get(run):
            job.metric(name, value, mode)

    def done(self, run: int, status: Literal["succeeded", "failed", "canceled"], error: str | None) -> None:
        job = self.runs.pop(run, None)
        if job is None:
            return
        job.member = None
        now_us = self._clock.now_us()
        if status == "succeeded" and job.prediction.started_us is not None:
            self._owner.has_run(self, (now_us - job.prediction.started_us) / 1e6)
            self.boot.ran(now_us - job.prediction.started_us)
        job.done(Status(status), error)
        if not self.runs:
            self.idle_since_us = now_us
        self._owner.has_room(self)

    def health(self, error: str | None) -> None:
        self.unhealthy = self.unhealthy or error

    def turn_ended(self) -> None:
        for job in self._touched:
            job.wake()
        self._touched.clear()

    def outgrew(self) -> None:
        self._has_outgrown = True
        self._owner.outgrew(self)

    def exited(self, reason: str) -> None:
        self.boot.failed(reason, self._clock.now_us())
        code = "E1001" if self._has_outgrown else "E8367"
        runs, self.runs = list(self.runs.values()), {}
        for job in runs:
            job.member = None
            job.fail(f"Prediction failed: {reason} ({code})")
        self._owner.is_gone(self, reason)
