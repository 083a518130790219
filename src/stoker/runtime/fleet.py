"""All running instances: starts, watches and stops them as ``core.scaling`` decides.

Owns the instance count and the members' states. Never touches a prediction: dispatch is told when there
is room and when a pool's version cannot be started. Which deployments there are is told by ``Deployed``.
"""

import asyncio
import logging
import secrets
from collections.abc import Coroutine
from typing import Any, Protocol

from stoker.core import experience, ids, scaling
from stoker.core.catalog import Version
from stoker.core.experience import Experience
from stoker.core.scaling import Pool, Scale
from stoker.core.settings import Settings
from stoker.ports.clock import Clock
from stoker.ports.engine import Engine, InstanceSpec
from stoker.ports.workspace import Place, Workspace
from stoker.runtime.group import Group
from stoker.runtime.member import Member

log = logging.getLogger(__name__)

STOP_GRACE_S = 5.0
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

    def __init__(self, *, engine: Engine, workspace: Workspace, clock: Clock, settings: Settings):
        self._engine = engine
        self._workspace = workspace
        self._clock = clock
        self._settings = settings
        self._groups: dict[Pool, Group] = {}
        self._learned: dict[str, Experience] = {}
        """By version."""
        self._boots: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
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
        """Something waits for this pool, which runs the version."""
        self._carry_out(self._group(pool, version), self._clock.now_us())

    def step(self, now_us: int) -> None:
        """The regular look: idle instances go, unhealthy ones are replaced, pauses end."""
        if now_us - self._checked_us >= HEALTH_EVERY_US:
            self._checked_us = now_us
            self._check_health()
        for pool, group in list(self._groups.items()):
            self._carry_out(group, now_us)
            if self._is_over(group, now_us):
                del self._groups[pool]

    def members(self) -> list[Member]:
        return [member for group in self._groups.values() for member in group.members.values()]

    def learned(self, version: str) -> Experience:
        """What is known of how the version boots and runs."""
        return self._learned.get(version, Experience())

    def instances(self) -> list[dict[str, Any]]:
        """For people: what runs."""
        return [
            {
                "model": group.version.model,
                "version": group.version.id,
                "deployment": group.pool.deployment,
                "training": group.pool.training,
                "state": member.state,
                "busy": len(member.runs),
                "slots": member.slots,
            }
            for group in self._groups.values()
            for member in group.members.values()
        ]

    async def close(self) -> None:
        """Stops every instance; returns when none is left."""
        self._closed = True
        for group in self._groups.values():
            for member in list(group.members.values()):
                self._stop(member)
        for boot in self._boots.values():
            boot.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    # -- asked by deployments ----------------------------------------------------------------------

    def scale(self, pool: Pool, version: Version, scale: Scale) -> None:
        """The pool is that of a current release, which asks for so many instances."""
        group = self._group(pool, version)
        group.scale = scale
        self._carry_out(group, self._clock.now_us())

    def retire(self, pool: Pool) -> None:
        """The pool gets nothing new: its instances end when what it has taken is done."""
        group = self._groups.get(pool)
        if group is not None:
            group.scale = Scale(most=group.scale.most, idle_s=0)
            self._carry_out(group, self._clock.now_us())

    # -- told by members ---------------------------------------------------------------------------

    def is_ready(self, member: Member) -> None:
        self._groups[member.pool].failures = 0
        booted_s = (self._clock.now_us() - member.begun_us) / 1e6
        self._learn(member, experience.booted(self.learned(member.version.id), booted_s))
        self.work.fill(member)

    def has_run(self, member: Member, took_s: float) -> None:
        self._learn(member, experience.ran(self.learned(member.version.id), took_s))

    def has_room(self, member: Member) -> None:
        self.work.fill(member)
        group = self._groups[member.pool]
        if group.trains:
            self._carry_out(group, self._clock.now_us())

    def setup_failed(self, member: Member, error: str) -> None:
        self._start_failed(member, f"Model setup failed: {error} (E9243)")

    def is_gone(self, member: Member, reason: str) -> None:
        group = self._groups[member.pool]
        group.members.pop(member.id, None)
        log.info("instance %s of %s ended: %s", member.id, member.version.model, reason)
        if member.state == "starting":
            self._start_failed(member, f"Model setup failed: {reason} (E9243)")
        self._carry_out(group, self._clock.now_us())

    # -- carrying out ------------------------------------------------------------------------------

    def _group(self, pool: Pool, version: Version) -> Group:
        group = self._groups.get(pool)
        if group is None:
            scale = Scale(most=self._settings.max_instances, idle_s=self._settings.idle_s)
            group = self._groups[pool] = Group(pool, version, scale)
        return group

    def _is_over(self, group: Group, now_us: int) -> bool:
        """Whether nothing of the group needs to be remembered."""
        return (
            not group.members
            and not group.scale.least
            and not self.work.waiting(group.pool)
            and now_us >= scaling.next_start_us(self._view(group, now_us))
        )

    def _view(self, group: Group, now_us: int) -> scaling.PoolView:
        return group.view(self.work.waiting(group.pool), self.learned(group.version.id), now_us)

    def _learn(self, member: Member, learned: Experience) -> None:
        if member.pool.training is None:
            self._learned[member.version.id] = learned

    def _carry_out(self, group: Group, now_us: int) -> None:
        if self._closed:
            return
        view = self._view(group, now_us)
        if group.trains and not view.waiting:
            self._end_unused(group)
            return
        for action in scaling.decide(view, now_us=now_us):
            if isinstance(action, scaling.Start):
                self._start(group)
            else:
                self._stop(group.members[action.instance])

    def _end_unused(self, group: Group) -> None:
        """The instance of a training that is over, or was cancelled while it started, is of no use."""
        for member in group.members.values():
            if not member.runs and member.state != "stopping":
                self._stop(member)

    def _start(self, group: Group) -> None:
        id = ids.opaque_key(secrets.token_bytes(10))
        limit = self._settings.log_limit_bytes
        member = Member(id, group.pool, group.version, self, self._clock, log_limit_bytes=limit)
        group.members[id] = member
        self._boots[id] = self._spawn(self._boot(member, group))
        self._boots[id].add_done_callback(lambda _: self._boots.pop(id))

    async def _boot(self, member: Member, group: Group) -> None:
        try:
            place = await self._workspace.place(member.version)
            member.instance = await self._engine.start(self._spec(member, group, place), member)
        except Exception as error:  # noqa: BLE001  the edge: whatever it was, nobody must wait for ever
            log.warning("cannot start %s: %s", member.version.model, error)
            self.is_gone(member, str(error))
            return
        if member.state == "stopping":  # since before there was anything to stop
            self._spawn(member.instance.stop(STOP_GRACE_S))

    def _spec(self, member: Member, group: Group, place: Place) -> InstanceSpec:
        recipe = member.version.recipe
        return InstanceSpec(
            id=member.id,
            version=member.version.id,
            python=place.python,
            source=place.source,
            home=place.home,
            predictor=(recipe.train if group.trains else recipe.predict) or "",
            mode="train" if group.trains else "predict",
            weights=place.weights,
            weights_name=recipe.weights_name,
            slots=1 if group.trains else recipe.slots,
            variables=recipe.variables,
            setup_timeout_s=self._settings.setup_timeout_s,
        )

    def _start_failed(self, member: Member, error: str) -> None:
        group = self._groups[member.pool]
        group.failures += 1
        group.failed_us = self._clock.now_us()
        self.work.start_failed(member.pool, error, member.setup_log)

    def _stop(self, member: Member) -> None:
        member.state = "stopping"
        instance = member.instance
        if instance is not None:
            self._spawn(instance.stop(STOP_GRACE_S))

    def _check_health(self) -> None:
        for group in self._groups.values():
            for member in group.members.values():
                if member.state == "ready" and member.instance is not None:
                    member.instance.check_health()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
