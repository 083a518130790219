"""Why predictions wait, for people: on request, and as a line in the logs of one that waits for long.

Asks dispatch and the fleet and decides nothing. ``step`` is the duty that writes the lines: only where the
wait is longer than ``wait_log_s``, and again only when the reason is another, so that whoever reads logs for
what a model says is not disturbed by waits that end soon. It costs by what there is to tell and by the pools
in which something waits, and not by how much does.
"""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Any

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
MOST_LOOKED_AT = 5000
"""In one step: a whole line may have ended since the last."""


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
        self._reasons: dict[Pool, Reason] = {}
        """What those in each pool's line were last found to wait for."""
        self._news: OrderedDict[str, Job] = OrderedDict()
        """Those that there may be something to tell."""

    # -- asked by the api --------------------------------------------------------------------------

    def of(self, id: str) -> Wait | None:
        """Of one prediction; None where it does not wait."""
        job = self._dispatcher.roster.waiting(id)
        if job is None:
            return None
        places = self._dispatcher.lines.places(job.pool, [job.lead])
        return waiting.explain(self._view(job, places.get(job.lead.id), fetching=self._fetches(job)))

    def paused(self) -> list[dict[str, Any]]:
        """For people: the pools whose starts failed, and how."""
        return [self._pause(group) for group in self._fleet.groups() if group.failures]

    def resume(self, *, model: str | None = None, deployment: str | None = None) -> list[dict[str, Any]]:
        """Has the fleet end the pauses of a model's versions or of a deployment; gives them as they were.

        A model's are also those of the instances of others that its versions run in.
        """
        ended: list[dict[str, Any]] = []
        for group in self._fleet.groups():
            mine = group.pool.deployment == deployment and (model is None or model in group.models)
            if group.failures and mine:
                ended.append(self._pause(group))
                self._fleet.resume(group.pool)
        return ended

    # -- the duty ----------------------------------------------------------------------------------

    def step(self, now_us: int) -> None:
        """Writes a line into the logs of those that have waited for long, or for something else now."""
        if not self._log_after_us:
            return
        for job in self._dispatcher.roster.grown_old(now_us - self._log_after_us):
            self._news[job.id] = job
        self._look()
        told: dict[Pool, list[Job]] = {}
        for job in list(islice(self._news_now(), MOST_AT_ONCE)):
            told.setdefault(job.pool, []).append(job)
        for pool, jobs in told.items():
            self._tell(pool, jobs)

    def _look(self) -> None:
        """Notes for whom the reason may be another than it was."""
        old = self._dispatcher.roster.old()
        self._reasons = {pool: reason for pool, reason in self._reasons.items() if pool in old}
        for pool, jobs in old.items():
            reason = waiting.reason_of(self._view(next(iter(jobs.values())), None, fetching=False))
            if reason != self._reasons.get(pool):
                self._reasons[pool] = reason
                self._news |= jobs

    def _news_now(self) -> Iterator[Job]:
        """Those whose log has not said yet what they wait for; what needs no other look is forgotten."""
        for job in list(islice(self._news.values(), MOST_LOOKED_AT)):
            fetching = self._fetches(job)
            waits = self._dispatcher.roster.waiting(job.id) is job
            del self._news[job.id]
            if fetching and waits:
                self._news[job.id] = job  # to be looked at again, after the others
            reason = "files" if fetching and not self._dispatcher.draining else self._reasons.get(job.pool)
            told = job.reasons_told
            if waits and len(told) < MOST_LINES and told[-1:] != (reason,):
                yield job

    def _tell(self, pool: Pool, jobs: list[Job]) -> None:
        places = self._dispatcher.lines.places(pool, [job.lead for job in jobs])
        for job in jobs:
            ahead, fetching = places.get(job.lead.id), self._fetches(job)
            wait = waiting.explain(self._view(job, ahead, fetching=fetching))
            job.reasons_told += (wait.reason,)
            job.live.add_log(f"[stoker] Waiting: {wait.message}\n")
            job.live.wake()

    # -- looking -----------------------------------------------------------------------------------

    def _fetches(self, job: Job) -> bool:
        return self._errands.is_preparing(job.lead.id)

    def _view(self, job: Job, ahead: int | None, *, fetching: bool) -> WaitView:
        now_us = self._clock.now_us()
        learned = self._learning.of(job.pool.version)
        group = self._fleet.group(job.pool)
        return WaitView(
            fetching=fetching,
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
