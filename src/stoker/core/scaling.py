"""How many instances a pool gets. A pure function of what there is, of what was learned, and of the time.

The rules, each with its reason; ``docs/architecture/scaling.md`` has the table of the simulator that they
were tuned on:

- Something waits and nothing runs: one instance, at once.
- More when the line would take longer than a boot: as many as work the line off within one boot. An instance
  that is ready only when the line is gone has cost a boot and helped nobody.
- Never more than the waiting predictions have use for, nor than the pool's most; never fewer than its least.
- What has been idle for the pool's idle time goes, longest first. The last one stays longer where its boot
  is long, since the next caller would have to wait for one; the others go sooner where it is short.
- Nothing that starts is stopped for being idle: its boot would be paid for nothing.
- What is unhealthy is replaced as soon as it is free; starts that fail are tried after a pause that doubles.

Whether there is room on the machine is decided elsewhere (``core.placement``).
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

State = Literal["starting", "ready", "stopping"]

LONGEST_PAUSE_S = 300.0
FORGIVEN_S = 600.0
"""How long failed starts count: else who calls every minute would find a broken version fresh each time."""

SHORTEST_BOOT_S = 1.0
"""A line that one second works off is no reason for another process, however quick its boot."""
UNKNOWN_BOOT_S = 10.0
"""What a first boot is expected to take: a model that imports torch takes 5 to 11 seconds."""
STAY_BOOTS = 12.0
"""How many of its boots the last instance stays idle where that is longer than the idle time."""
LONGEST_STAY_S = 900.0
"""That longer stay at most."""
SHORTEST_STAY_S = 5.0
"""How long an instance that is not the last one stays at least: lines come in waves."""


class InstanceView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    state: State
    busy: int = 0
    """Slots in use."""
    healthy: bool = True
    idle_since_us: int = 0
    leaving: bool = False
    """Whether it makes room for another pool's: it takes nothing more, and goes when it is free."""

    @property
    def is_usable(self) -> bool:
        """Whether it takes work, now or when it has booted."""
        return self.healthy and not self.leaving and self.state != "stopping"

    @property
    def is_idle(self) -> bool:
        return self.state == "ready" and not self.busy


class Pool(NamedTuple):
    """Which instances belong together: a version's, those of one in a deployment, a training's one."""

    version: str
    """64 hex digits."""
    deployment: str | None = None
    """``owner/name``."""
    hardware: str | None = None
    """Of a training None: its model's."""
    training: str | None = None
    """The id of the training whose own instance it is: it takes nothing else and ends with it."""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator or a deployment asks of a pool."""

    least: int = 0
    """Instances that stay up, also where nothing waits."""
    most: int = 1
    idle_s: float = 60.0


class PoolView(msgspec.Struct, frozen=True, kw_only=True):
    """One pool at one moment."""

    waiting: int
    instances: Sequence[InstanceView]
    scale: Scale = Scale()
    slots: int = 1
    """Of each instance."""
    boot_s: float | None = None
    """What its boots take; None before the first."""
    run_s: float | None = None
    """What its predictions take; None before the first has run for a while."""
    failures: int = 0
    """Starts that failed since one last worked."""
    failed_us: int = 0


class Start(msgspec.Struct, frozen=True):
    pass


class Stop(msgspec.Struct, frozen=True):
    instance: str
    reason: Literal["idle", "unhealthy", "makes room"]


def pause_s(failures: int) -> float:
    """How long to wait after so many failed starts in a row: 1, 2, 4 ... 300 seconds."""
    return 0.0 if failures == 0 else min(2.0 ** (failures - 1), LONGEST_PAUSE_S)


def next_start_us(view: PoolView) -> int:
    """The earliest moment at which a start may be tried."""
    return view.failed_us + int(pause_s(view.failures) * 1e6) if view.failures else 0


def forgiven_us(view: PoolView) -> int:
    """When nothing needs to be remembered of the starts that failed."""
    return max(next_start_us(view), view.failed_us + int(FORGIVEN_S * 1e6)) if view.failures else 0


def decide(view: PoolView, *, now_us: int) -> list[Start | Stop]:
    """What to do now, in order."""
    stops = [*_unusable(view), *_idle(view, now_us)]
    missing = wanted(view) - sum(instance.is_usable for instance in view.instances)
    if missing <= 0 or now_us < next_start_us(view):
        return [*stops]
    return [*stops, *(Start() for _ in range(1 if view.failures else missing))]


def wanted(view: PoolView) -> int:
    """How many usable instances there should be; those that are there may be more."""
    scale = view.scale
    if not view.waiting:
        return scale.least
    slots = max(view.slots, 1)
    boot_s = max(view.boot_s or UNKNOWN_BOOT_S, SHORTEST_BOOT_S)
    work_s = view.waiting * (view.run_s or 0.0) / slots
    busy = sum(instance.busy for instance in view.instances if instance.is_usable)
    useful = math.ceil((view.waiting + busy) / slots)
    return min(max(1, scale.least, min(math.ceil(work_s / boot_s), useful)), max(scale.most, scale.least))


def stay_s(view: PoolView, *, is_last: bool) -> float:
    """How long an instance stays without work."""
    idle_s, boots_s = view.scale.idle_s, STAY_BOOTS * (view.boot_s or 0.0)
    if is_last and idle_s > 0:
        return max(idle_s, min(boots_s, LONGEST_STAY_S))
    return idle_s if view.boot_s is None else min(idle_s, max(boots_s, SHORTEST_STAY_S))


def _unusable(view: PoolView) -> list[Stop]:
    return [
        Stop(instance.id, "makes room" if instance.healthy else "unhealthy")
        for instance in view.instances
        if instance.is_idle and not instance.is_usable
    ]


def _idle(view: PoolView, now_us: int) -> list[Stop]:
    """Those that have been idle for long enough, longest first, as far as the least allows."""
    if view.waiting:
        return []
    usable = [instance for instance in view.instances if instance.is_usable]
    idle = sorted(
        (instance for instance in usable if instance.is_idle), key=lambda instance: instance.idle_since_us
    )
    stops: list[Stop] = []
    for instance in idle:
        left = len(usable) - len(stops)
        if left <= view.scale.least:
            break
        if now_us - instance.idle_since_us >= stay_s(view, is_last=left == 1) * 1e6:
            stops.append(Stop(instance.id, "idle"))
    return stops
