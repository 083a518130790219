"""Where an instance goes on this machine, and which idle ones make room for it. Pure; asked by the fleet.

The rules, each with its reason:

- What fits is placed: GPUs that nobody has before shared ones, so that models do not disturb each other.
- Where nothing fits, idle instances are evicted, the least valuable first, and no more of them than are
  needed. Value is what bringing it back would cost by how soon that is to be expected: boot time by the
  longer of its idle time and its usual gap between predictions.
- An instance stays a while after it booted, longer while it works. Else two models that take turns would
  spend all time booting.
- Instances that are to be kept, that start, or that run something are never evicted.
- Whoever has waited too long is heard all the same: busy instances take nothing more and go when they are
  free, so that a model with an endless line does not starve another.
- Room that an older claim waits for is not given to a younger one.
- Memory that is held only for quick starts is given back first; no instance goes for it.
- What is left behind by an instance is free only when its process is gone and the machine says so.
- Nothing is placed while the disk is full, and nothing on a GPU that does not answer: whoever wants it waits.
"""

from collections.abc import Iterable, Sequence

import msgspec

STAY_BOOTS = 0.25
"""How many of its boots an instance stays at least after it is ready, though it is idle."""
TURN_BOOTS = 4.0
"""How many of its boots one with work stays at least: else all time would go into booting."""
SHORTEST_STAY_S = 5.0
LONGEST_TURN_S = 120.0
HEARD_BOOTS = 4.0
"""How many of its own boots a claim waits before busy instances have to go."""
HEARD_AFTER_S = 60.0
"""How long it waits at least."""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What one instance takes."""

    hardware: str
    gpus: int = 0
    gpu_kind: str | None = None
    """Which GPUs will do; where the machine has none of the kind, or it is None, any."""
    memory_bytes: int = 0
    gpu_memory_bytes: int | None = None
    """On each of its GPUs; None takes them whole."""


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    index: int
    kind: str = ""
    memory_bytes: int
    free_bytes: int
    """What the driver says is free now, whoever has the rest."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to give."""

    memory_bytes: int
    """Main memory for instances, all of them together."""
    free_bytes: int
    """What the kernel says is available now."""
    reclaimable_bytes: int = 0
    """What would be free as well if it were asked for: memory that only makes later starts quick."""
    gpus: tuple[Gpu, ...] = ()
    """Those that answer."""
    lost_gpus: tuple[int, ...] = ()
    """Indexes of those that were there at the start and do not answer: they may come back."""
    driver_is_silent: bool = False
    """Whether the driver itself says nothing: they may be well, and if it never did, nobody knows of them."""
    driver_answer: int = 0
    """Which answer of the driver's this is; the same one is told until there is another."""
    disk_is_full: bool = False
    """Whether what is left on the disk is kept for what has begun already."""
    counts: dict[str, int] = {}
    """Most instances of a hardware at once; what is not named is not counted."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """An instance that has its place; also one that is on its way out, until it is gone."""

    id: str
    need: Need
    gpus: tuple[int, ...] = ()
    taken_bytes: int = 0
    """Main memory that it takes already: it is no longer among the free."""
    taken_gpu_bytes: int = 0
    """The same on each of its GPUs."""
    is_idle: bool = False
    is_kept: bool = False
    """Whether it is one of those that its pool keeps, or trains."""
    is_going: bool = False
    """Whether it stops, or takes nothing more."""
    ready_us: int | None = None
    """None while it starts."""
    idle_since_us: int = 0
    boot_s: float = 0.0
    gap_s: float | None = None
    """What usually lies between two predictions of its version."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An instance that is wanted."""

    need: Need
    since_us: int
    boot_s: float


class Placed(msgspec.Struct, frozen=True):
    """There is room now."""

    gpus: tuple[int, ...] = ()


class MakeRoom(msgspec.Struct, frozen=True):
    """There will be room when these are gone: the idle ones stop now, the busy ones take nothing more."""

    holders: tuple[str, ...]
    gpus: tuple[int, ...] = ()
    """Where the room will be."""


class Reclaim(msgspec.Struct, frozen=True):
    """There will be room when so much of what only makes starts quick was given back."""

    size_bytes: int


class Never(msgspec.Struct, frozen=True):
    """Even an empty machine has no room for it."""

    why: str


class NoRoom(msgspec.Struct, frozen=True):
    """There is no room, and nothing to be done about it yet."""

    why: str
    """For people."""


def place(
    claim: Claim, machine: Machine, holders: Sequence[Holder], *, now_us: int
) -> Placed | MakeRoom | Reclaim | NoRoom | Never:
    """What to do for the claim; older claims that wait for room are among the holders (``reserved``)."""
    if claim.need.gpus and machine.driver_is_silent:
        return NoRoom(SILENT_DRIVER)
    why = _impossible(claim.need, machine)
    if why is not None:
        return Never(why)
    if machine.disk_is_full:
        return NoRoom(FULL_DISK)
    if machine.lost_gpus and _room(claim.need, machine, []) is None:
        return NoRoom(_do_not_answer(machine))
    gpus = _room(claim.need, machine, holders)
    if gpus is not None:
        return _verified(claim.need, gpus, machine, holders)
    return _make_room(claim, machine, holders, now_us)


def reserved(claim: Claim, gpus: tuple[int, ...]) -> Holder:
    """The place that a claim waits for, as younger claims have to see it."""
    return Holder(id="", need=claim.need, gpus=gpus)


def value(holder: Holder, now_us: int) -> float:
    """What it is worth to leave it where it is; more is better."""
    idle_s = max((now_us - holder.idle_since_us) / 1e6, 1.0)
    return holder.boot_s / max(idle_s, holder.gap_s or 0.0)


FULL_DISK = "The server's disk is full."
SILENT_DRIVER = "The GPU driver of this server does not answer."
_OTHERS = "The machine's memory is taken by other programs."


def _make_room(claim: Claim, machine: Machine, holders: Sequence[Holder], now_us: int) -> MakeRoom | NoRoom:
    """As few as needed of those that may go: on their way out already, then idle, then, at last, busy."""
    going = [holder for holder in holders if holder.is_going]
    idle = sorted(
        (one for one in holders if _may_go(one, now_us) and one.is_idle), key=lambda one: value(one, now_us)
    )
    busy: list[Holder] = []
    if now_us - claim.since_us >= max(HEARD_BOOTS * claim.boot_s, HEARD_AFTER_S) * 1e6:
        busy = sorted((one for one in holders if _may_go(one, now_us) and not one.is_idle), key=_seniority)
    gone: list[Holder] = []
    for holder in (*going, *idle, *busy):
        gone.append(holder)
        gpus = _room(claim.need, machine, _without(holders, gone))
        if gpus is not None:
            needed = _needed(claim.need, machine, holders, gone)
            gpus = _room(claim.need, machine, _without(holders, needed)) or ()
            return MakeRoom(tuple(one.id for one in needed if not one.is_going), gpus)
    return NoRoom("Everything that has room for it is in use.")


def _needed(need: Need, machine: Machine, holders: Sequence[Holder], gone: list[Holder]) -> list[Holder]:
    """Those without which there would be no room: the more valuable ones are spared first."""
    needed = list(gone)
    for holder in reversed(gone):
        fewer = [one for one in needed if one is not holder]
        if not holder.is_going and _room(need, machine, _without(holders, fewer)) is not None:
            needed = fewer
    return needed


def _may_go(holder: Holder, now_us: int) -> bool:
    if holder.is_kept or holder.is_going or holder.ready_us is None:
        return False
    boots = STAY_BOOTS if holder.is_idle else TURN_BOOTS
    stay_s = min(max(boots * holder.boot_s, SHORTEST_STAY_S), LONGEST_TURN_S)
    return now_us - holder.ready_us >= stay_s * 1e6


def _seniority(holder: Holder) -> int:
    """Who has been there for longest has had most of its turn."""
    return holder.ready_us or 0


def _without(holders: Iterable[Holder], gone: Sequence[Holder]) -> list[Holder]:
    ids = {id(one) for one in gone}
    return [one for one in holders if id(one) not in ids]


def _impossible(need: Need, machine: Machine) -> str | None:
    """Why it could not even be placed on an empty machine; None where it could."""
    if machine.counts.get(need.hardware, 1) < 1:
        return f"This server has no {need.hardware}."
    if need.gpus > len(machine.gpus) + len(machine.lost_gpus):
        return f"It needs {need.gpus} GPU{'s' * (need.gpus > 1)}, and this server has {len(machine.gpus)}."
    if need.memory_bytes > machine.memory_bytes:
        return f"It needs {_gb(need.memory_bytes)} of memory, and instances get {_gb(machine.memory_bytes)}."
    if not machine.lost_gpus and _room(need, machine, []) is None:
        return f"It needs {_gb(need.gpu_memory_bytes or 0)} of memory on a GPU, more than this server's have."
    return None


def _room(need: Need, machine: Machine, holders: Sequence[Holder]) -> tuple[int, ...] | None:
    """The GPUs that it would get by the books; None where something is short."""
    same = sum(one.need.hardware == need.hardware for one in holders)
    if same >= machine.counts.get(need.hardware, same + 1):
        return None
    if need.memory_bytes + sum(one.need.memory_bytes for one in holders) > machine.memory_bytes:
        return None
    suited = [gpu for gpu in machine.gpus if gpu.kind == need.gpu_kind] or machine.gpus
    fitting = [gpu for gpu in suited if _fits(need, gpu, holders)] if need.gpus else []
    if len(fitting) < need.gpus:
        return None
    fitting.sort(key=lambda gpu: (_booked(gpu, holders), gpu.index))
    return tuple(sorted(gpu.index for gpu in fitting[: need.gpus]))


def _fits(need: Need, gpu: Gpu, holders: Sequence[Holder]) -> bool:
    asked = gpu.memory_bytes if need.gpu_memory_bytes is None else need.gpu_memory_bytes
    return asked + _booked(gpu, holders) <= gpu.memory_bytes


def _booked(gpu: Gpu, holders: Sequence[Holder]) -> int:
    """What instances have of its memory, by the books."""
    return sum(
        gpu.memory_bytes if one.need.gpu_memory_bytes is None else one.need.gpu_memory_bytes
        for one in holders
        if gpu.index in one.gpus
    )


def _verified(
    need: Need, gpus: tuple[int, ...], machine: Machine, holders: Sequence[Holder]
) -> Placed | Reclaim | NoRoom:
    """What is free by the books is so only if the machine says it, too."""
    promised = sum(max(one.need.memory_bytes - one.taken_bytes, 0) for one in holders)
    short_bytes = need.memory_bytes + promised - machine.free_bytes
    if short_bytes > machine.reclaimable_bytes or not _is_free(need, gpus, machine, holders):
        return NoRoom(_OTHERS)
    return Reclaim(short_bytes) if short_bytes > 0 else Placed(gpus)


def _is_free(need: Need, gpus: tuple[int, ...], machine: Machine, holders: Sequence[Holder]) -> bool:
    """Whether the driver says so of the GPUs, less what others have been promised and do not take yet."""
    for gpu in machine.gpus:
        if gpu.index in gpus and need.gpu_memory_bytes is not None:
            owed = sum(
                max((one.need.gpu_memory_bytes or 0) - one.taken_gpu_bytes, 0)
                for one in holders
                if gpu.index in one.gpus
            )
            if need.gpu_memory_bytes + owed > gpu.free_bytes:
                return False
    return True


def _do_not_answer(machine: Machine) -> str:
    names = " and ".join(f"GPU {index}" for index in machine.lost_gpus)
    return f"{names} of this server {'does' if len(machine.lost_gpus) == 1 else 'do'} not answer."


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
