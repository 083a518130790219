"""Which instances of a pool to start and stop. A pure function of what there is and of the time.

Today's policy: one instance a pool, started when something waits or one is to be kept, stopped when it has
been idle for a while and is not to be kept, replaced when it is unhealthy, and after failures not tried again
before a pause that doubles.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

State = Literal["starting", "ready", "stopping"]

LONGEST_PAUSE_S = 300.0


class InstanceView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    state: State
    busy: int = 0
    """Slots in use."""
    healthy: bool = True
    idle_since_us: int = 0


class Pool(NamedTuple):
    """Which instances belong together: a version's, those of one in a deployment, a training's one."""

    version: str
    """64 hex digits."""
    deployment: str | None = None
    """``owner/name``."""
    hardware: str | None = None
    training: str | None = None
    """The id of the training whose own instance it is: it takes nothing else and ends with it."""


class PoolView(msgspec.Struct, frozen=True, kw_only=True):
    """One pool at one moment."""

    waiting: int
    keep: bool = False
    """Whether one instance stays up, also where nothing waits."""
    instances: Sequence[InstanceView]
    failures: int = 0
    """Starts that failed since one last worked."""
    failed_us: int = 0


class Start(msgspec.Struct, frozen=True):
    pass


class Stop(msgspec.Struct, frozen=True):
    instance: str
    reason: Literal["idle", "unhealthy"]


def pause_s(failures: int) -> float:
    """How long to wait after so many failed starts in a row: 1, 2, 4 ... 300 seconds."""
    return 0.0 if failures == 0 else min(2.0 ** (failures - 1), LONGEST_PAUSE_S)


def next_start_us(view: PoolView) -> int:
    """The earliest moment at which a start may be tried."""
    return view.failed_us + int(pause_s(view.failures) * 1e6) if view.failures else 0


def decide(view: PoolView, *, idle_s: float, now_us: int) -> list[Start | Stop]:
    """What to do now, in order."""
    actions: list[Start | Stop] = [
        Stop(instance.id, "idle" if instance.healthy else "unhealthy")
        for instance in view.instances
        if _should_stop(instance, view, idle_s=idle_s, now_us=now_us)
    ]
    usable = any(instance.state != "stopping" and instance.healthy for instance in view.instances)
    if (view.waiting or view.keep) and not usable and now_us >= next_start_us(view):
        actions.append(Start())
    return actions


def _should_stop(instance: InstanceView, view: PoolView, *, idle_s: float, now_us: int) -> bool:
    if instance.state != "ready" or instance.busy:
        return False
    if not instance.healthy:
        return True
    if view.waiting or view.keep:
        return False
    return now_us - instance.idle_since_us >= idle_s * 1e6
