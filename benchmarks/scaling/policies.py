"""Ways to scale: ours, and those it is held against.

Ours calls the very functions that the server calls. The baselines are what people build first.
"""

import math

from benchmarks.scaling.simulation import Instance, Machine, Outcome
from benchmarks.scaling.traffic import Model, Trace
from stoker.core import experience, placement, scaling
from stoker.core.experience import Experience
from stoker.core.placement import Holder, Need

HARDWARE = "cpu"


class Stoker:
    """What the server does."""

    name = "Stoker"

    def __init__(self, *, most: int = 16, idle_s: float = 60.0):
        self._scale = scaling.Scale(most=most, idle_s=idle_s)
        self._learned: dict[str, Experience] = {}
        self._short_since_us: dict[str, int] = {}
        """Since when a model has had fewer instances than it wants."""

    def booted(self, instance: Instance) -> None:
        known = self._learned.get(instance.model.name, Experience())
        self._learned[instance.model.name] = experience.booted(known, instance.model.boot_s)

    def ran(self, model: Model, took_s: float) -> None:
        self._learned[model.name] = experience.ran(self._learned.get(model.name, Experience()), took_s)

    def step(self, machine: Machine) -> None:
        now_us = int(machine.now_s * 1e6)
        missing: list[Model] = []
        for model in machine.models:
            actions = scaling.decide(self._view(machine, model), now_us=now_us)
            for action in actions:
                if isinstance(action, scaling.Stop):
                    machine.stop(action.instance)
            starts = sum(isinstance(action, scaling.Start) for action in actions)
            missing += [model] * starts
            if starts:
                self._short_since_us.setdefault(model.name, now_us)
            else:
                self._short_since_us.pop(model.name, None)
        self._place(machine, sorted(missing, key=lambda model: self._short_since_us[model.name]), now_us)

    def _place(self, machine: Machine, missing: list[Model], now_us: int) -> None:
        room = placement.Machine(memory_bytes=0, free_bytes=0, counts={HARDWARE: machine.capacity})
        reserved: list[Holder] = []
        for model in missing:
            claim = placement.Claim(
                need=Need(hardware=HARDWARE),
                since_us=self._short_since_us[model.name],
                boot_s=self._boot_s(model),
            )
            holders = [self._holder(one, machine.now_s) for one in machine.instances.values()]
            found = placement.place(claim, room, [*reserved, *holders], now_us=now_us)
            if isinstance(found, placement.MakeRoom):
                self._make_room(machine, found)
                reserved.append(placement.reserved(claim, found.gpus))
            elif isinstance(found, placement.Placed):
                machine.start(model)

    def _make_room(self, machine: Machine, found: placement.MakeRoom) -> None:
        for id in found.holders:
            if machine.instances[id].busy:
                machine.instances[id].draining = True
            else:
                machine.stop(id)

    def _holder(self, one: Instance, now_s: float) -> Holder:
        return Holder(
            id=one.id,
            need=Need(hardware=HARDWARE),
            is_idle=one.is_ready(now_s) and not one.busy,
            is_going=one.draining,
            ready_us=int(one.ready_s * 1e6) if one.is_ready(now_s) else None,
            idle_since_us=int(one.idle_since_s * 1e6),
            boot_s=self._boot_s(one.model),
        )

    def _boot_s(self, model: Model) -> float:
        return self._learned.get(model.name, Experience()).boot_s or 0.0

    def _view(self, machine: Machine, model: Model) -> scaling.PoolView:
        learned = self._learned.get(model.name, Experience())
        return scaling.PoolView(
            waiting=len(machine.waiting[model.name]),
            instances=[_seen(one, machine.now_s) for one in machine.of(model)],
            scale=self._scale,
            slots=model.slots,
            boot_s=learned.boot_s,
            run_s=learned.run_s,
        )


class OneEach:
    """One instance a model, gone after a minute without work."""

    name = "one each, 60 s"
    most = 1
    idle_s = 60.0

    def booted(self, instance: Instance) -> None:
        """Learns nothing."""

    def ran(self, model: Model, took_s: float) -> None:
        """Learns nothing."""

    def step(self, machine: Machine) -> None:
        for one in list(machine.instances.values()):
            idle = one.is_ready(machine.now_s) and not one.busy and not machine.waiting[one.model.name]
            if idle and machine.now_s - one.idle_since_s >= self.idle_s:
                machine.stop(one.id)
        for model in machine.models:
            self._start(machine, model)

    def _start(self, machine: Machine, model: Model) -> None:
        there = len(machine.of(model))
        wanted = min(math.ceil(len(machine.waiting[model.name]) / model.slots), self.most)
        for _ in range(wanted - there):
            if machine.has_room:
                machine.start(model)


class EachWaiting(OneEach):
    """As many instances as predictions wait, gone after a minute without work."""

    name = "one a call, 60 s"
    most = 1000


class NoIdling(OneEach):
    """One instance a model, gone as soon as nothing waits."""

    name = "one each, 0 s"
    idle_s = 0.0


def best(trace: Trace) -> Outcome:
    """What a schedule that knows the future needs so that nobody waits, on a machine without limits.

    An instance is kept over a gap where that is cheaper than a boot, and is ready in the moment it is needed.
    No schedule without waiting takes fewer instance-seconds; one with waiting may.
    """
    waits, total_s, boots = [], 0.0, 0
    free: dict[str, list[float]] = {}
    for arrival in trace.arrivals:
        waits.append(0.0)
        ends = free.setdefault(arrival.model.name, [])
        usable = [at for at in ends if at <= arrival.at_s]
        gap_s = arrival.at_s - max(usable) if usable else math.inf
        if usable:
            ends.remove(max(usable))
        slots_share = 1 / arrival.model.slots
        if gap_s > arrival.model.boot_s:
            boots += 1
            gap_s = arrival.model.boot_s
        total_s += (gap_s + arrival.run_s) * slots_share
        ends.append(arrival.at_s + arrival.run_s)
    return Outcome(waits_s=waits, instance_s=total_s, boots=boots)


def _seen(one: Instance, now_s: float) -> scaling.InstanceView:
    return scaling.InstanceView(
        id=one.id,
        state="ready" if one.is_ready(now_s) else "starting",
        busy=one.busy,
        idle_since_us=int(one.idle_since_s * 1e6),
        leaving=one.draining,
    )
