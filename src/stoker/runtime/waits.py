"""Why predictions wait, for people: on request, and as a line in the logs of one that waits for long.

Asks dispatch and the fleet and decides nothing. ``step`` is the duty that writes the lines: only where the
wait is longer than ``wait_log_s``, and again only when the reason is another, so that whoever reads logs for
what a model says is not disturbed by waits that end soon.
"""

from typing import Any

import msgspec

from stoker.core import scaling, waiting
from stoker.core.scaling import Pool
from stoker.core.settings import Settings
from stoker.core.waiting import Booting, Reason, Wait, WaitView
from stoker.ports.clock import Clock
from stoker.runtime.dispatch import Dispatcher
from stoker.runtime.errands import Errands
from stoker.runtime.fleet import Fleet
from stoker.runtime.group import Group
from stoker.runtime.job import Job
from stoker.runtime.learning import Learning
from stoker.runtime.member import Member

MOST_LINES = 4
"""Of each prediction: a reason that goes to and fro is not worth a log of its own."""
MOST_AT_ONCE = 500
"""Predictions that are told something in one step."""


class Told(msgspec.Struct, frozen=True):
    reason: Reason
    lines: int


class Waits:
    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        fleet: Fleet,
        errands: Errands,
        learning: Learning,
        clock: Clock,
        settings: Settings,
    ):
        self._dispatcher = dispatcher
        self._fleet = fleet
        self._errands = errands
        self._learning = learning
        self._clock = clock
        self._log_after_us = int(settings.wait_log_s * 1e6)
        self._told: dict[str, Told] = {}

    # -- asked by the api --------------------------------------------------------------------------

    def of(self, id: str) -> Wait | None:
        """Of one prediction; None where it does not wait."""
        job = self._dispatcher.waiting_job(id)
        if job is None:
            return None
        line = self._dispatcher.line(job.pool)
        ahead = next((number for number, one in enumerate(line) if one is job), None)
        return waiting.explain(self._view(job, ahead))

    def paused(self) -> list[dict[str, Any]]:
        """For people: the pools whose starts failed, and how."""
        return [self._pause(group) for group in self._fleet.groups() if group.failures]

    def resume(self, *, model: str | None = None, deployment: str | None = None) -> list[dict[str, Any]]:
        """Has the fleet end the pauses of a model's versions or of a deployment; gives them as they were."""
        ended: list[dict[str, Any]] = []
        for group in self._fleet.groups():
            mine = group.pool.deployment == deployment and model in (None, group.version.model)
            if group.failures and mine:
                ended.append(self._pause(group))
                self._fleet.resume(group.pool)
        return ended

    # -- the duty ----------------------------------------------------------------------------------

    def step(self, now_us: int) -> None:
        """Writes a line into the logs of those that have waited for long, or for something else now."""
        if not self._log_after_us:
            return
        waits = list(self._dispatcher.waits())
        self._told = {job.id: self._told[job.id] for job in waits if job.id in self._told}
        views: dict[tuple[Pool, bool], WaitView] = {}
        news: dict[Pool, dict[str, Job]] = {}
        for job in waits:
            if now_us - job.prediction.created_us < self._log_after_us:
                continue
            key = (job.pool, self._errands.is_preparing(job.id))
            if key not in views:
                views[key] = self._view(job, None)
            if self._is_news(job, waiting.reason_of(views[key])):
                news.setdefault(job.pool, {})[job.id] = job
                if sum(map(len, news.values())) >= MOST_AT_ONCE:
                    break
        for pool, jobs in news.items():
            self._tell(pool, jobs)

    def _is_news(self, job: Job, reason: Reason) -> bool:
        told = self._told.get(job.id)
        return told is None or (told.reason != reason and told.lines < MOST_LINES)

    def _tell(self, pool: Pool, jobs: dict[str, Job]) -> None:
        places: dict[str, int] = {}
        for number, job in enumerate(self._dispatcher.line(pool)):
            if job.id in jobs:
                places[job.id] = number
        for job in jobs.values():
            wait = waiting.explain(self._view(job, places.get(job.id)))
            before = self._told.get(job.id)
            self._told[job.id] = Told(wait.reason, before.lines + 1 if before else 1)
            job.log(f"[stoker] Waiting: {wait.message}\n")
            job.live.wake()

    # -- looking -----------------------------------------------------------------------------------

    def _view(self, job: Job, ahead: int | None) -> WaitView:
        now_us = self._clock.now_us()
        learned = self._learning.of(job.pool.version)
        group = self._fleet.group(job.pool)
        return WaitView(
            fetching=self._errands.is_preparing(job.id),
            stopping=self._dispatcher.draining,
            ahead=ahead,
            running_s=[] if group is None else [s for m in group.members.values() for s in _slots(m, now_us)],
            boots=[] if group is None else [b for m in group.members.values() for b in _boot(m, now_us)],
            slots=1 if job.pool.training else job.version.recipe.slots,
            boot_s=learned.boot_s,
            run_s=learned.run_s,
            short_of=group.waits_for if group else "",
            failures=group.failures if group else 0,
            error=group.error if group else "",
            next_try_s=self._next_try_s(group, now_us),
        )

    def _next_try_s(self, group: Group | None, now_us: int) -> float:
        if group is None or not group.failures:
            return 0.0
        pause_us = int(scaling.pause_s(group.failures) * 1e6)
        return max(group.failed_us + pause_us - now_us, 0) / 1e6

    def _pause(self, group: Group) -> dict[str, Any]:
        return {
            "model": group.version.model,
            "version": group.version.id,
            "deployment": group.pool.deployment,
            "training": group.pool.training,
            "failures": group.failures,
            "error": group.error,
            "next_try_s": round(self._next_try_s(group, self._clock.now_us()), 1),
        }


def _slots(member: Member, now_us: int) -> list[float]:
    """How long each slot's run has taken; -1 for a free one. Nothing of an instance that takes no more."""
    if member.state != "ready" or not member.view().is_usable:
        return []
    running = [(now_us - since) / 1e6 for since in member.running_since_us()]
    return running + [-1.0] * (member.slots - len(running))


def _boot(member: Member, now_us: int) -> list[Booting]:
    if member.state != "starting" or not member.view().is_usable:
        return []
    return [Booting(stage=member.stage, since_s=round((now_us - member.begun_us) / 1e6, 1))]
