"""A machine in simulated time: instances boot, run and idle as a policy says, and everything is counted.

Called by ``__main__`` with a trace and a policy. Knows nothing of how a policy decides. The clock jumps from
event to event; as in the server, a policy is asked whenever something arrives and every half second.
"""

import heapq
import itertools
from collections import deque
from typing import Protocol

import msgspec

from benchmarks.scaling.traffic import Arrival, Model, Trace

TICK_S = 0.5
TAIL_S = 1200.0
"""How long is looked on after the last arrival: an instance that stays costs something then too."""


class Instance(msgspec.Struct, kw_only=True):
    id: str
    model: Model
    begun_s: float
    ready_s: float
    busy: int = 0
    idle_since_s: float = 0.0
    draining: bool = False
    """Takes nothing more, and goes when it is free."""

    def is_ready(self, now_s: float) -> bool:
        return now_s >= self.ready_s


class Machine:
    """What a policy sees, and may change by ``start`` and ``stop``."""

    def __init__(self, capacity: int, models: list[Model]):
        self.capacity = capacity
        self.models = models
        self.now_s = 0.0
        self.waiting: dict[str, deque[Arrival]] = {model.name: deque() for model in models}
        self.instances: dict[str, Instance] = {}
        self.boots = 0
        self.instance_s = 0.0
        self._numbers = itertools.count()

    def of(self, model: Model) -> list[Instance]:
        return [one for one in self.instances.values() if one.model == model]

    @property
    def has_room(self) -> bool:
        return len(self.instances) < self.capacity

    def start(self, model: Model) -> Instance:
        """The caller has looked whether there is room."""
        id = f"{model.name}-{next(self._numbers)}"
        ready_s = self.now_s + model.boot_s
        made = Instance(id=id, model=model, begun_s=self.now_s, ready_s=ready_s, idle_since_s=ready_s)
        self.instances[id] = made
        self.boots += 1
        return made

    def stop(self, id: str) -> None:
        self.instance_s += self.now_s - self.instances.pop(id).begun_s


class Policy(Protocol):
    name: str

    def step(self, machine: Machine) -> None:
        """Looks, and starts and stops."""
        ...

    def booted(self, instance: Instance) -> None: ...

    def ran(self, model: Model, took_s: float) -> None: ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy made of a trace."""

    waits_s: list[float]
    """Of each prediction, from its arrival to its slot; sorted."""
    instance_s: float
    boots: int

    @property
    def mean_wait_s(self) -> float:
        return sum(self.waits_s) / len(self.waits_s)

    def wait_at(self, share: float) -> float:
        return self.waits_s[min(int(share * len(self.waits_s)), len(self.waits_s) - 1)]


def simulate(trace: Trace, policy: Policy) -> Outcome:
    machine = Machine(trace.capacity, list({one.model.name: one.model for one in trace.arrivals}.values()))
    ends: list[tuple[float, int, str, Arrival]] = []
    number = itertools.count()
    waits: list[float] = []
    booting: list[tuple[float, str]] = []
    arrivals = deque(trace.arrivals)
    until_s = trace.arrivals[-1].at_s + TAIL_S
    next_tick_s = 0.0

    def fill() -> None:
        for one in list(machine.instances.values()):
            line = machine.waiting[one.model.name]
            while line and one.is_ready(machine.now_s) and one.busy < one.model.slots and not one.draining:
                arrival = line.popleft()
                one.busy += 1
                waits.append(machine.now_s - arrival.at_s)
                heapq.heappush(ends, (machine.now_s + arrival.run_s, next(number), one.id, arrival))

    def decide() -> None:
        known = set(machine.instances)
        policy.step(machine)
        for id in machine.instances.keys() - known:
            heapq.heappush(booting, (machine.instances[id].ready_s, id))

    while machine.now_s < until_s or ends:
        times = [next_tick_s]
        times += [arrivals[0].at_s] if arrivals else []
        times += [ends[0][0]] if ends else []
        times += [booting[0][0]] if booting else []
        machine.now_s = min(times)
        while arrivals and arrivals[0].at_s <= machine.now_s:
            arrival = arrivals.popleft()
            machine.waiting[arrival.model.name].append(arrival)
        while ends and ends[0][0] <= machine.now_s:
            _, _, id, arrival = heapq.heappop(ends)
            policy.ran(arrival.model, arrival.run_s)
            one = machine.instances[id]
            one.busy -= 1
            one.idle_since_s = machine.now_s
        while booting and booting[0][0] <= machine.now_s:
            _, id = heapq.heappop(booting)
            if id in machine.instances:
                policy.booted(machine.instances[id])
        fill()
        decide()
        if machine.now_s >= next_tick_s:
            next_tick_s = machine.now_s + TICK_S
    for id in list(machine.instances):
        machine.stop(id)
    return Outcome(waits_s=sorted(waits), instance_s=machine.instance_s, boots=machine.boots)
