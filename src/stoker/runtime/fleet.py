"""All running instances: how many of each pool, as ``core.scaling`` decides; ``room`` finds a place for each.

Owns the instance count and the members' states. Never touches a prediction: dispatch is told when there
is room and when a pool's version cannot be started. Which deployments there are is told by ``Deployed``.
"""

import logging
from typing import Any, Protocol

from stoker.core import scaling
from stoker.core.catalog import Version
from stoker.core.hosting import host_of
from stoker.core.scaling import Pool, Scale
from stoker.core.settings import Settings
from stoker.ports.clock import Clock
from stoker.ports.machine import Host
from stoker.runtime.group import Group
from stoker.runtime.launch import Launch
from stoker.runtime.learning import Learning
from stoker.runtime.member import Member
from stoker.runtime.placing import Placing
from stoker.runtime.room import Room
from stoker.runtime.scales import Scales

log = logging.getLogger(__name__)

HEALTH_EVERY_US = 10_000_000


class Work(Protocol):
    """What the fleet asks of dispatch, and tells it."""

    def waiting(self, pool: Pool) -> int: ...

    def fill(self, member: Member) -> None:
        """There may be a free slot."""
        ...

    def start_failed(self, pool: Pool, error: str, logs: str) -> None: ...


class Fleet:
    work: Work
    """Set by dispatch when it is made."""

    def __init__(
        self,
        *,
        launch: Launch,
        host: Host,
        placing: Placing,
        learning: Learning,
        scales: Scales,
        clock: Clock,
        settings: Settings,
    ):
        self._launch = launch
        self._host = host
        self._learning = learning
        self._scales = scales
        self._clock = clock
        self._groups: dict[Pool, Group] = {}
        self._room = Room(
            launch=launch,
            host=host,
            placing=placing,
            learning=learning,
            clock=clock,
            settings=settings,
            owner=self,
            never=self._never_fits,
        )
        self._checked_us = 0
        self._closed = False

    # -- asked by dispatch -------------------------------------------------------------------------

    def free(self, pool: Pool) -> Member | None:
        """A member with a free slot."""
        group = self._groups.get(pool)
        if group is None:
            return None
        return next((member for member in group.members.values() if member.has_slot), None)

    def want(self, pool: Pool, version: Version) -> None:
        """Something waits for this pool, in which the version runs."""
        now_us = self._clock.now_us()
        group = self._group(pool, version)
        group.models.add(version.model)
        if not group.is_served and not group.missing:
            self._carry_out(group, now_us)
            self._place(now_us)

    def asked(self, pool: Pool, version: Version) -> None:
        """A prediction of the version has arrived for this pool."""
        self._learning.asked(pool, version, self._clock.now_us())

    async def measure(self, _now_us: int) -> None:
        """Looks at what every instance takes, and learns what its version needs.

        One that starts has not taken yet what it will: learning from it would let in too many.
        """
        self._room.reclaimable_bytes = await self._launch.reclaimable_bytes()
        usage = await self._launch.usage()
        most_bytes = self._host.look().memory_bytes
        for member in self.members():
            if (now := usage.get(member.id)) is not None:
                member.usage = now
                if member.state == "ready":
                    self._learning.used(member, now, most_bytes=most_bytes)

    def step(self, now_us: int) -> None:
        """The regular look: idle instances go, unhealthy ones are replaced, pauses end."""
        if now_us - self._checked_us >= HEALTH_EVERY_US:
            self._checked_us = now_us
            self._check_health()
        for pool, group in list(self._groups.items()):
            self._carry_out(group, now_us)
            if self._is_over(group, now_us):
                del self._groups[pool]
        self._place(now_us)

    def members(self) -> list[Member]:
        return [member for group in self._groups.values() for member in group.members.values()]

    def group(self, pool: Pool) -> Group | None:
        """The pool's instances and how its starts went; None where there is nothing to know."""
        return self._groups.get(pool)

    def groups(self) -> list[Group]:
        return list(self._groups.values())

    def instances(self) -> list[dict[str, Any]]:
        """For people: what runs."""
        return [
            {
                "model": group.version.model,
                "version": group.version.id,
                "deployment": group.pool.deployment,
                "training": group.pool.training,
                "state": member.state,
                "stage": member.stage,
                "start": member.boot.start,
                "busy": len(member.runs),
                "slots": member.slots,
                "gpus": member.gpus,
            }
            for group in self._groups.values()
            for member in group.members.values()
        ]

    async def close(self) -> None:
        """Stops every instance; returns when none is left."""
        self._closed = True
        for group in self._groups.values():
            for member in list(group.members.values()):
                self._launch.stop(member)
        await self._launch.close()

    # -- asked by deployments ----------------------------------------------------------------------

    def scale(self, pool: Pool, version: Version, scale: Scale) -> None:
        """The pool is that of a current release, which asks for so many instances."""
        group = self._group(pool, version)
        group.scale = scale
        self._look(group)

    def resume(self, pool: Pool) -> None:
        """Whatever made its starts fail is mended: the next is tried as soon as it is wanted."""
        self._groups[pool].works()
        self._look(self._groups[pool])

    def retire(self, pool: Pool) -> None:
        """The pool gets nothing new: its instances end when what it has taken is done."""
        group = self._groups.get(pool)
        if group is not None:
            group.scale = Scale(most=group.scale.most, idle_s=0)
            self._look(group)

    # -- told by members ---------------------------------------------------------------------------

    def is_ready(self, member: Member) -> None:
        took_s, how = (self._clock.now_us() - member.begun_us) / 1e6, member.boot.start or "plain"
        log.info("instance %s of %s is ready after %.1f s (%s)", member.id, member.version.model, took_s, how)
        self._groups[member.pool].works()
        self._learning.booted(member, took_s)
        self.work.fill(member)

    def has_run(self, member: Member, took_s: float) -> None:
        self._learning.ran(member, took_s)

    def has_room(self, member: Member) -> None:
        self.work.fill(member)
        group = self._groups[member.pool]
        if group.trains or member.leaving:
            self._look(group)

    def setup_failed(self, member: Member, error: str) -> None:
        self._start_failed(member, f"Model setup failed: {error} (E9243)")

    def outgrew(self, member: Member) -> None:
        self._learning.outgrew(member, most_bytes=self._host.look().memory_bytes)

    def is_gone(self, member: Member, reason: str) -> None:
        group = self._groups[member.pool]
        group.members.pop(member.id, None)
        log.info("instance %s of %s ended: %s", member.id, member.version.model, reason)
        if member.state == "starting":
            self._start_failed(member, f"Model setup failed: {reason} (E9243)")
        self._look(group)

    # -- carrying out ------------------------------------------------------------------------------

    def _look(self, group: Group) -> None:
        """Something of this group has changed; others may have been waiting for that."""
        now_us = self._clock.now_us()
        self._carry_out(group, now_us)
        self._place(now_us)

    def _group(self, pool: Pool, version: Version) -> Group:
        group = self._groups.get(pool)
        if group is None:
            booted = version if pool.version == version.id else host_of(version)
            group = self._groups[pool] = Group(pool, booted, self._scales.of(pool, booted))
        return group

    def _is_over(self, group: Group, now_us: int) -> bool:
        """Whether nothing of the group needs to be remembered."""
        return (
            not group.members
            and not group.scale.least
            and not self.work.waiting(group.pool)
            and now_us >= scaling.forgiven_us(self._view(group, now_us))
        )

    def _view(self, group: Group, now_us: int) -> scaling.PoolView:
        return group.view(self.work.waiting(group.pool), self._learning.of(group.version.id), now_us)

    def _carry_out(self, group: Group, now_us: int) -> None:
        """Stops what has to stop and notes what is missing; ``_place`` finds room for that."""
        if self._closed:
            return
        view = self._view(group, now_us)
        if group.trains and not view.waiting:
            group.wants(0, now_us)
            self._end_unused(group)
            return
        missing = 0
        for action in scaling.decide(view, now_us=now_us):
            if isinstance(action, scaling.Start):
                missing += 1
            else:
                self._launch.stop(group.members[action.instance])
        group.wants(missing, now_us)

    def _end_unused(self, group: Group) -> None:
        """The instance of a training that is over, or was cancelled while it started, is of no use."""
        for member in group.members.values():
            if not member.runs and member.state != "stopping":
                self._launch.stop(member)

    def _place(self, now_us: int) -> None:
        if not self._closed:
            self._room.find(self._groups.values(), now_us)

    def _never_fits(self, group: Group, why: str) -> None:
        group.failed(why, self._clock.now_us())
        self.work.start_failed(group.pool, why, "")

    def _start_failed(self, member: Member, error: str) -> None:
        group = self._groups[member.pool]
        group.failed(error, self._clock.now_us())
        pause_s = scaling.pause_s(group.failures)
        log.warning("%s; %s is not tried again for %.0f s", error, member.version.model, pause_s)
        self.work.start_failed(member.pool, error, member.setup_log.text)

    def _check_health(self) -> None:
        for member in self.members():
            if member.state == "ready" and member.instance is not None:
                member.instance.check_health()
