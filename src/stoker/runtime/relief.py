"""Gives disk back while it is full: of the idle instances, the one that has written most goes.

A duty of the server's. A model may fill the disk with files of its own and then have nothing to do: until it
has been idle for long enough nobody would get room, and not even its own prediction's end could be written.
"""

import logging

from stoker.ports.machine import Host
from stoker.runtime.fleet import Fleet
from stoker.runtime.launch import Launch
from stoker.runtime.member import Member

log = logging.getLogger(__name__)

LEAST_BYTES = 1024 * 1024
"""An instance that has written less is no use to anybody."""


class Relief:
    def __init__(self, *, host: Host, fleet: Fleet, launch: Launch):
        self._host = host
        self._fleet = fleet
        self._launch = launch

    async def step(self, _now_us: int) -> None:
        """Ends at most one: its files are gone by the next step, and that may be enough."""
        if not self._host.disk_is_full or any(member.leaving for member in self._idle()):
            return
        taken = await self._launch.disk_usage()
        most = max(self._idle(), key=lambda member: taken.get(member.id, 0), default=None)
        if most is None or taken.get(most.id, 0) < LEAST_BYTES:
            return
        log.warning("disk full: instance %s of %s goes, with its files", most.id, most.version.model)
        most.leaving = True
        self._fleet.has_room(most)

    def _idle(self) -> list[Member]:
        return [member for member in self._fleet.members() if member.view().is_idle]
