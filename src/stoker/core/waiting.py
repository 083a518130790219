"""Why a prediction that starts has not started yet, and for how long still. Pure; asked by ``runtime.waits``.

An estimate is what the averages of earlier boots and runs make likely, and None where nothing is known that
it could be made of: a wrong promise is worse than none.
"""

import heapq
from collections.abc import Sequence
from typing import Literal

import msgspec

Reason = Literal["files", "queue", "boot", "room", "paused", "stopping"]
"""Its input files are fetched; others are before it; an instance boots; there is no room for one; starts
failed and the next try is later; the server stops, and it runs after the next start."""

MOST_STEPS = 1000
"""So many predictions before it are played through at most; beyond, the average alone tells."""

LATE_RUNS, LATE_S = 2.0, 1.0
"""A run that has taken as many times the average, and so long beside, is none that the average knows."""


class Booting(msgspec.Struct, frozen=True, kw_only=True):
    """An instance on its way to ready."""

    stage: str
    since_s: float
    """How long its boot has taken so far."""


class WaitView(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to know of one prediction's wait, at one moment."""

    fetching: bool = False
    stopping: bool = False
    ahead: int | None = None
    """How many of its line have their turn before it; None while it is in no line."""
    running_s: Sequence[float] = ()
    """For each slot of the ready instances: how long its run has taken so far; less than 0 for a free one."""
    boots: Sequence[Booting] = ()
    slots: int = 1
    """Of each instance."""
    boot_s: float | None = None
    run_s: float | None = None
    short_of: str = ""
    """Why no instance is started, for people; empty where one is, or where none is missing."""
    failures: int = 0
    """Starts that failed since one last worked."""
    error: str = ""
    """How the last of them failed."""
    next_try_s: float = 0.0
    """How long until a start may be tried again."""


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is told of a wait."""

    reason: Reason
    message: str
    position: int | None = None
    """1 is next."""
    boot: Booting | None = None
    """The boot that is furthest, where one is under way."""
    estimate_s: float | None = None
    failures: int = 0
    error: str | None = None
    next_try_s: float | None = None


def explain(view: WaitView) -> Wait:
    """The reason that holds it up now, and what can be said of how long."""
    reason = reason_of(view)
    estimate = None if reason == "stopping" else estimate_s(view)
    boot = max(view.boots, key=lambda boot: boot.since_s, default=None)
    return Wait(
        reason=reason,
        message=_message(reason, view, boot, estimate),
        position=None if view.ahead is None else view.ahead + 1,
        boot=boot,
        estimate_s=None if estimate is None else round(estimate, 1),
        failures=view.failures,
        error=view.error or None,
        next_try_s=round(view.next_try_s, 1) if reason == "paused" else None,
    )


def reason_of(view: WaitView) -> Reason:
    if view.stopping:
        return "stopping"
    if view.fetching:
        return "files"
    if view.running_s:
        return "queue"
    if view.boots:
        return "boot"
    return "paused" if view.failures and view.next_try_s > 0 else "room" if view.short_of else "boot"


def estimate_s(view: WaitView) -> float | None:
    """Seconds until it starts, were its files here now; None where boots or runs of it are not known yet.

    And where what runs has taken so much longer than usual that the averages say nothing of it.
    """
    if _are_late(view):
        return None
    ahead = view.ahead or 0
    free = [_left(view.run_s, so_far) for so_far in view.running_s]
    if view.boot_s is not None:
        left_s = [max(view.boot_s - boot.since_s, 0.0) for boot in view.boots]
        free += [one for one in left_s for _ in range(max(view.slots, 1))]
        if not free and not view.short_of:
            free = [view.next_try_s + view.boot_s] * max(view.slots, 1)
    known = [one for one in free if one is not None]
    if not known or (ahead >= len(known) and view.run_s is None):
        return None
    return _turn_s(known, ahead, view.run_s or 0.0)


def _turn_s(free: list[float], ahead: int, run_s: float) -> float:
    """When a slot is free for whoever has so many before it, each run taking the average.

    Once the slots are free within one run of each other, they are so again after a run of each.
    """
    heapq.heapify(free)
    last_s = max(free)
    for _ in range(min(ahead, MOST_STEPS)):
        if last_s - free[0] <= run_s:
            break
        heapq.heapreplace(free, free[0] + run_s)
        ahead -= 1
    rounds, turn = divmod(ahead, len(free))
    return sorted(free)[turn] + rounds * run_s


def _are_late(view: WaitView) -> bool:
    """Whether every slot has a run that takes longer than usual by far, and none is about to come."""
    if view.run_s is None or not view.running_s or view.boots:
        return False
    return min(view.running_s) > LATE_RUNS * view.run_s + LATE_S


def _left(run_s: float | None, so_far_s: float) -> float | None:
    """What is left of a run; one that takes longer than usual may end at any moment."""
    if so_far_s < 0:
        return 0.0
    return None if run_s is None else max(run_s - so_far_s, 0.0)


def _message(reason: Reason, view: WaitView, boot: Booting | None, estimate: float | None) -> str:
    about = "" if estimate is None else f" It should start in about {duration(estimate)}."
    if reason == "stopping":
        return "The server is stopping; this runs after its next start."
    if reason == "files":
        return "Its input files are being fetched."
    if reason == "queue":
        late = " What runs takes longer than usual." if _are_late(view) else ""
        return _before(view.ahead or 0) + about + late
    if reason == "room":
        return f"No instance can start yet: {view.short_of}"
    if reason == "paused":
        times = "once" if view.failures == 1 else f"{view.failures} times in a row"
        tried = f"The model failed to start {times}; it is tried again in {duration(view.next_try_s)}."
        return f"{tried} The last error: {view.error}" if view.error else tried
    began = (
        f"An instance starts ({boot.stage}, for {duration(boot.since_s)})." if boot else "An instance starts."
    )
    return began + (f" {_before(view.ahead)}" if view.ahead else "") + about


def _before(ahead: int) -> str:
    if ahead == 0:
        return "It is next in line."
    return "1 prediction is before it." if ahead == 1 else f"{ahead:,} predictions are before it."


def duration(seconds: float) -> str:
    """For people: ``8 s``, ``3 min``, ``2.5 h``."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
