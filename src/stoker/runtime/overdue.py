"""What has taken too long: deadlines, runs past their limit, models that do not stop. Owned by dispatch.

A look at the clock costs by what runs and by what is due, never by how much waits.
"""

from collections.abc import Callable, Collection, Sequence

from stoker.core.settings import Settings
from stoker.core.timetable import Timetable
from stoker.runtime.job import Job
from stoker.runtime.member import Member

MOST_AT_ONCE = 2000
"""Deadlines that come in one step. Where more were set to one moment, the others come with the next steps."""


class Overdue:
    def __init__(self, settings: Settings):
        self._settings = settings
        self._deadlines = Timetable()

    def add(self, job: Job) -> None:
        """Its deadline counts, if it has one, until it is over."""
        if job.prediction.deadline_us is not None:
            self._deadlines.put(job.id, job.prediction.deadline_us)

    def forget(self, job: Job) -> None:
        self._deadlines.drop(job.id)

    def step(
        self,
        now_us: int,
        *,
        running: Collection[Job],
        members: Collection[Member],
        expire: Callable[[Sequence[str]], None],
    ) -> None:
        """The regular look; ``expire`` is told the ids of those whose deadline has come."""
        if due := self._deadlines.due(now_us, most=MOST_AT_ONCE):
            expire(due)
        for job in list(running):
            self._check_run(job, now_us)
        for member in members:
            self._check_stopping(member, now_us)

    def _check_run(self, job: Job, now_us: int) -> None:
        """Ends a run that has used up its time."""
        trains = job.prediction.kind == "training"
        limit_s = self._settings.train_timeout_s if trains else self._settings.run_timeout_s
        since_us = job.prediction.started_us
        if since_us is None or job.ended or now_us - since_us < limit_s * 1e6:
            return
        job.stop("run time limit")
        job.fail(f"{job.prediction.kind.capitalize()} timed out after {limit_s:g} seconds (E6716)")

    def _check_stopping(self, member: Member, now_us: int) -> None:
        """Kills the instance of a model that does not stop, unless others still run in it."""
        grace_s = self._settings.cancel_grace_s
        limit_us = grace_s * 1e6
        late = [j for j in member.runs.values() if j.stop_asked_us and now_us - j.stop_asked_us >= limit_us]
        if not late:
            return
        member.unhealthy = member.unhealthy or "a run did not stop when it was cancelled"
        if len(late) == len(member.runs):
            member.kill(f"it did not stop within {grace_s:g} seconds of being cancelled")
