"""All running instances: starts, watches and stops them as ``core.scaling`` decides.

Owns the instance count and the members' states. Never touches a prediction: dispatch is told when there
is room and when a pool's version cannot be started. Which deployments there are is told by ``Deployed``.
"""

import asyncio
import logging
import secrets
from collections.abc import Coroutine
from typing import Any, Protocol

from stoker.core import ids, scaling
from stoker.core.catalog import Version
from stoker.core.scaling import Pool
from stoker.core.settings import Settings
from stoker.ports.clock import Clock
from stoker.ports.engine import Engine, InstanceSpec
from stoker.ports.workspace import Place, Workspace
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


class Group:
    """The instances of one pool, and how its starts went."""

    def __init__(self, pool: Pool, version: Version):
        self.pool = pool
        self.version = version
        self.keep = False
        """Whether one instance stays up, also without work."""
        self.retired = False
        """Whether a newer release has taken over: instances go as soon as they have nothing to do."""
        self.members: dict[str, Member] = {}
        self.failures = 0
        self.failed_us = 0

    @property
    def trains(self) -> bool:
        """Whether its instance is that of a training, and ends with it."""
        return self.pool.training is not None

    def view(self, waiting: int) -> scaling.PoolView:
        return scaling.PoolView(
            waiting=waiting,
            keep=self.keep,
            instances=[member.view() for member in self.members.values()],
            failures=self.failures,
            failed_us=self.failed_us,
        )


class Fleet:
    work: Work
    """Set by dispatch when it is made."""

    def __init__(self, *, engine: Engine, workspace: Workspace, clock: Clock, settings: Settings):
        self._engine = engine
        self._workspace = workspace
        self._clock = clock
        self._settings = settings
        self._groups: dict[Pool, Group] = {}
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
            if (
                not group.members
                and not group.keep
                and not self.work.waiting(pool)
                and now_us >= scaling.next_start_us(group.view(0))
            ):
                del self._groups[pool]

    def members(self) -> list[Member]:
        return [member for group in self._groups.values() for member in group.members.values()]

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

    def keep(self, pool: Pool, version: Version, *, at_least_one: bool) -> None:
        """The pool is that of a current release; whether one of its instances stays up without work."""
        group = self._group(pool, version)
        group.keep, group.retired = at_least_one, False
        self._carry_out(group, self._clock.now_us())

    def retire(self, pool: Pool) -> None:
        """The pool gets nothing new: its instances end when what it has taken is done."""
        group = self._groups.get(pool)
        if group is not None:
            group.keep, group.retired = False, True
            self._carry_out(group, self._clock.now_us())

    # -- told by members ---------------------------------------------------------------------------

    def is_ready(self, member: Member) -> None:
        self._groups[member.pool].failures = 0
        self.work.fill(member)

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
            group = self._groups[pool] = Group(pool, version)
        return group

    def _carry_out(self, group: Group, now_us: int) -> None:
        if self._closed:
            return
        view = group.view(self.work.waiting(group.pool))
        if group.trains and not view.waiting:
            self._end_unused(group)
            return
        idle_s = 0.0 if group.retired else self._settings.idle_s
        for action in scaling.decide(view, idle_s=idle_s, now_us=now_us):
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
        self.work.start_failed(member.pool, error, member.setup_log.text)

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
