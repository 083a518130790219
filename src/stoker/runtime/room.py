"""Room on the machine for the instances that are missing, as ``core.placement`` decides, and their starts.

Used by the fleet alone, which says what is missing. Idle instances of others are stopped to make room.
"""

import logging
import secrets
from collections.abc import Callable, Collection

import msgspec

from stoker.core import ids, placement
from stoker.core.placement import Holder
from stoker.core.settings import Settings
from stoker.ports.clock import Clock
from stoker.ports.machine import Host
from stoker.runtime.group import Group
from stoker.runtime.launch import Launch
from stoker.runtime.learning import Learning
from stoker.runtime.member import Member, Owner
from stoker.runtime.placing import Placing

log = logging.getLogger(__name__)

Short = placement.MakeRoom | placement.Reclaim | placement.NoRoom | placement.Never


class Room:
    def __init__(
        self,
        *,
        launch: Launch,
        host: Host,
        placing: Placing,
        learning: Learning,
        clock: Clock,
        settings: Settings,
        owner: Owner,
        never: Callable[[Group, str], None],
    ):
        """``owner`` is the new members'; ``never`` is told of what even an empty machine has no room for."""
        self.reclaimable_bytes = 0
        """What the engine held for quick starts when it was last asked; none once it is giving some back."""
        self._launch = launch
        self._host = host
        self._placing = placing
        self._learning = learning
        self._clock = clock
        self._settings = settings
        self._owner = owner
        self._never = never

    def find(self, groups: Collection[Group], now_us: int) -> None:
        """Starts what is missing and fits, for those first who have been short for longest."""
        short = [group for group in groups if group.missing]
        if not short:
            return
        machine = msgspec.structs.replace(self._host.look(), reclaimable_bytes=self.reclaimable_bytes)
        reserved: list[Holder] = []
        for group in sorted(short, key=lambda group: group.short_since_us or 0):
            for _ in range(group.missing):
                learned = self._learning.of(group.version.id)
                claim = self._placing.claim(group, learned, machine, now_us=now_us)
                holders = [*reserved, *self._holders(groups, machine)]
                found = placement.place(claim, machine, holders, now_us=now_us)
                if isinstance(found, placement.Placed):
                    self._start(group, found.gpus)
                    continue
                if isinstance(found, placement.MakeRoom):
                    self._make_room(groups, found.holders)
                    reserved.append(placement.reserved(claim, found.gpus))
                if isinstance(found, placement.Reclaim):
                    self._reclaim(found.size_bytes)
                    machine = msgspec.structs.replace(machine, reclaimable_bytes=0)
                self._tell_short(group, found)
                break

    def _holders(self, groups: Collection[Group], machine: placement.Machine) -> list[Holder]:
        return [
            holder
            for group in groups
            for holder in self._placing.holders(group, self._learning.of(group.version.id), machine)
        ]

    def _make_room(self, groups: Collection[Group], ids: tuple[str, ...]) -> None:
        for member in [member for group in groups for member in group.members.values()]:
            if member.id in ids:
                member.leaving = True
                if not member.runs:
                    log.info("instance %s of %s makes room", member.id, member.version.model)
                    self._launch.stop(member)

    def _reclaim(self, size_bytes: int) -> None:
        """Once for what there was: it takes the kernel a moment, and what is left is measured first."""
        self.reclaimable_bytes = 0
        self._launch.reclaim(size_bytes)

    def _tell_short(self, group: Group, found: Short) -> None:
        if isinstance(found, placement.MakeRoom):
            group.waits_for = "Other models are making room for it."
        elif isinstance(found, placement.Reclaim):
            group.waits_for = "Memory that was held for quick starts is being given back."
        else:
            group.waits_for = found.why
        if isinstance(found, placement.Never):
            self._never(group, found.why)

    def _start(self, group: Group, gpus: tuple[int, ...]) -> None:
        now_us = self._clock.now_us()
        member = Member(
            ids.opaque_key(secrets.token_bytes(10)),
            group.pool,
            group.version,
            self._owner,
            self._clock,
            wanted_us=group.short_since_us or now_us,
            log_limit_bytes=self._settings.log_limit_bytes,
        )
        member.gpus = gpus
        group.members[member.id] = member
        group.wants(group.missing - 1, now_us)
        self._launch.start(member, failed=lambda reason: self._owner.is_gone(member, reason))
