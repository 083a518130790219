"""Boots and stops members: from a version to a running process, and back to nothing. Called by the fleet.

Owns the tasks that do it. Never decides which instance is to start or to stop.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from stoker.core.errors import StokerError, is_full_disk
from stoker.core.settings import Settings
from stoker.ports.clock import Clock
from stoker.ports.engine import Engine, InstanceSpec, Usage
from stoker.ports.machine import Host
from stoker.ports.workspace import Place, Workspace
from stoker.runtime.boots import Boots
from stoker.runtime.member import Member

log = logging.getLogger(__name__)

STOP_GRACE_S = 5.0
FULL = "the server's disk is full"
UNEXPECTED = "the server could not start it, for a reason that is in the server's log"


class Launch:
    def __init__(
        self,
        *,
        engine: Engine,
        workspace: Workspace,
        host: Host,
        boots: Boots,
        clock: Clock,
        settings: Settings,
    ):
        self._engine = engine
        self._workspace = workspace
        self._host = host
        self._record = boots
        self._clock = clock
        self._settings = settings
        self._boots: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, member: Member, *, failed: Callable[[str], None]) -> None:
        """Begins its boot; ``failed`` is called with the reason where nothing could be started."""
        self._record.add(member.boot)
        self._boots[member.id] = self._spawn(self._boot(member, failed))
        self._boots[member.id].add_done_callback(lambda _: self._boots.pop(member.id))

    def stop(self, member: Member) -> None:
        """Begins its end; it says itself when it is gone."""
        member.state = "stopping"
        if member.instance is not None:
            self._spawn(member.instance.stop(STOP_GRACE_S))

    async def usage(self) -> dict[str, Usage]:
        return await self._engine.usage()

    async def reclaimable_bytes(self) -> int:
        return await self._engine.reclaimable_bytes()

    def reclaim(self, size_bytes: int) -> None:
        self._engine.reclaim(size_bytes)

    async def disk_usage(self) -> dict[str, int]:
        return await self._engine.disk_usage()

    async def close(self) -> None:
        """Gives up what is still booting; returns when all that was begun is over."""
        for boot in self._boots.values():
            boot.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _boot(self, member: Member, failed: Callable[[str], None]) -> None:
        try:
            place = await self._workspace.place(member.version)
            member.boot.reached("process", self._clock.now_us())
            member.instance = await self._engine.start(self._spec(member, place), member)
            member.boot.start = member.instance.began
        except StokerError as error:
            log.warning("cannot start %s: %s", member.version.model, error.__cause__ or error.message)
            self._gave_up(member, error.message, failed)
            return
        except Exception as error:  # the edge: whatever it was, nobody must wait for ever
            log.exception("cannot start %s (instance %s)", member.version.model, member.id)
            self._gave_up(member, FULL if is_full_disk(error) else UNEXPECTED, failed)
            return
        if member.state == "stopping":  # since before there was anything to stop
            self._spawn(member.instance.stop(STOP_GRACE_S))

    def _gave_up(self, member: Member, reason: str, failed: Callable[[str], None]) -> None:
        """Before there was an instance; whoever waits reads the reason."""
        member.boot.failed(reason, self._clock.now_us())
        failed(reason)

    def _spec(self, member: Member, place: Place) -> InstanceSpec:
        recipe, trains = member.version.recipe, member.pool.training is not None
        return InstanceSpec(
            id=member.id,
            version=member.version.id,
            python=place.python,
            source=place.source,
            home=place.home,
            predictor=(recipe.train if trains else recipe.predict) or "",
            mode="train" if trains else "predict",
            weights=place.weights,
            weights_name=recipe.weights_name,
            checkpoint=place.checkpoint,
            slots=1 if trains else recipe.slots,
            gpus=self._host.visible(member.gpus) if self._host.has_gpus else None,
            threads=self._host.threads(len(member.gpus)),
            variables=recipe.variables,
            setup_timeout_s=self._settings.setup_timeout_s,
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
