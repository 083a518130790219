"""Ends the instances on GPUs that do not answer any more. A duty of the server's.

Their predictions fail at once and say why; what was only starting is started again where there is room. That
nothing new goes there, and that it does once the GPU is back, is placement's doing. While the driver itself
says nothing, nothing ends: a model may well go on where the driver hangs because of another GPU.
"""

import logging
from collections.abc import Iterable

from stoker.ports.machine import Host
from stoker.runtime.fleet import Fleet
from stoker.runtime.launch import Launch
from stoker.runtime.member import Member

log = logging.getLogger(__name__)


class LostGpus:
    def __init__(self, *, host: Host, fleet: Fleet, launch: Launch):
        self._host = host
        self._fleet = fleet
        self._launch = launch
        self._before = frozenset[int]()
        """Those that were not in the driver's last answer."""
        self._answer: int | None = None
        """Which one that was."""

    def step(self, _now_us: int) -> None:
        """One answer is not enough: a driver that is busy may leave a GPU out of one, and it is told again
        and again until there is another.
        """
        machine = self._host.look()
        if machine.driver_is_silent:
            self._before = frozenset()
            return
        if machine.driver_answer == self._answer:
            return
        self._answer, now = machine.driver_answer, frozenset(machine.lost_gpus)
        lost, self._before = now & self._before, now
        for member in self._fleet.members() if lost else ():
            if member.state != "stopping" and member.unhealthy is None and lost & set(member.gpus):
                self._end(member, sorted(lost & set(member.gpus)))

    def _end(self, member: Member, gpus: Iterable[int]) -> None:
        reason = f"{_named(gpus)} of the server stopped answering"
        log.error("instance %s of %s ends: %s", member.id, member.version.model, reason)
        if member.state == "starting":
            self._launch.stop(member)
            return
        member.unhealthy = reason
        for job in list(member.runs.values()):  # a process that hangs in the driver may not even die
            job.fail(f"Prediction failed: {reason} (E8367)")
        member.kill(reason)


def _named(gpus: Iterable[int]) -> str:
    return " and ".join(f"GPU {gpu}" for gpu in gpus)
