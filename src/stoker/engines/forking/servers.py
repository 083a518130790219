"""All fork servers: when one begins, who is forked from it, when it goes. Used by ``process``.

One begins after a plain start whose imports were slow. It goes when it has not been used for long, when
others are wanted more, when memory is short, when its environment is gone, and when anything about it looks
wrong; then its kind is not tried again while this server runs. One that somebody killed (a person, or the
kernel for want of memory) begins again after the next plain start. Nothing ever waits for one to begin.
"""

import asyncio
import contextlib
import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stoker.engines.folders import Folders
from stoker.engines.forking.plans import Plan, identity_of
from stoker.engines.forking.server import ForkServer, shadowed
from stoker.engines.spawn import Child
from stoker.host import memory, processes
from stoker.ports.engine import InstanceSpec

SLOW_S = 0.3
"""Imports that take less are not worth the memory of another process."""
SPARE = 0.1
SPARE_BYTES = 1 << 30
"""With less memory available than that part of all there is, and less than so much, fork servers go."""
_NAME = "fork-{:0>60}"
"""Long, so that an instance's mark fits over it."""

log = logging.getLogger(__name__)


class ForkServers:
    """``most`` is how many there may be at once; 0 is none ever."""

    def __init__(
        self,
        instances: Path,
        *,
        mark: tuple[str, str],
        living: set[str],
        most: int,
        idle_s: float,
        available: Callable[[], int] = memory.available_bytes,
    ):
        self._instances = instances
        self._variable, self._mark = mark
        self._living = living
        self._most = most
        self._idle_s = idle_s
        self._available = available
        self._spare_bytes = min(int(memory.total_bytes() * SPARE), SPARE_BYTES)
        self._numbers = itertools.count(1)
        self._servers: dict[Plan, ForkServer] = {}
        """Those last used stand last."""
        self._used: dict[Plan, float] = {}
        self._refused: dict[Plan, str] = {}
        """Why these are not tried again."""
        self._tasks = set[asyncio.Task[None]]()

    @property
    def enabled(self) -> bool:
        return self._most > 0

    @property
    def ready(self) -> list[Plan]:
        return [plan for plan, server in self._servers.items() if server.modules is not None]

    @property
    def refused(self) -> dict[Plan, str]:
        """Which are not tried again, and why."""
        return dict(self._refused)

    async def fork(
        self,
        plan: Plan,
        *,
        spec: InstanceSpec,
        folders: Folders,
        variables: dict[str, str],
        config: dict[str, Any],
    ) -> Child | None:
        """A forked worker; None where it has to be started plainly."""
        server = self._servers.get(plan)
        if server is None or server.modules is None:
            return None
        if plan.environment != identity_of(plan.python.parent.parent):
            server.drop("its environment has changed")
            return None
        if await asyncio.to_thread(shadowed, spec.source, server.modules):
            return None
        if self._servers.get(plan) is not server:  # it ended meanwhile
            return None
        self._touch(plan)
        try:
            return await server.fork(folders=folders, variables=variables, config=config)
        except OSError as error:
            if self._servers.get(plan) is server:
                self._refuse(plan, str(error))
            await asyncio.to_thread(self._end_strays, variables[self._variable])
            return None

    def booted(self, plan: Plan, *, forked: bool, imports_s: float | None) -> None:
        """An instance of that kind has become ready after such imports, or (None) never did."""
        if forked and imports_s is None:
            self._refuse(plan, "an instance that was forked from it did not become ready")
        elif not forked and imports_s is not None and imports_s >= SLOW_S:
            self._begin(plan)

    def step(self, _now_us: int) -> None:
        """Ends those that are not wanted any more."""
        now_s = asyncio.get_running_loop().time()
        for plan, server in list(self._servers.items()):
            if now_s - self._used[plan] >= self._idle_s:
                server.drop("nothing was forked from it for long")
            elif plan.environment != identity_of(plan.python.parent.parent):
                server.drop("its environment is gone")
        self.relieve()

    def relieve(self) -> None:
        """Ends the one that was used least lately where memory is short."""
        if self._servers and self._available() < self._spare_bytes:
            next(iter(self._servers.values())).drop("memory is short")

    def memory_bytes(self) -> int:
        """What would be free without them; for a thread, since the kernel counts pages for it."""
        return sum(memory.own_bytes(server.pid) for server in list(self._servers.values()))

    def give_back(self, size_bytes: int) -> None:
        """Ends as many as it takes, those used least lately first."""
        for server in list(self._servers.values()):
            if size_bytes <= 0:
                return
            size_bytes -= memory.own_bytes(server.pid)
            server.drop("an instance needs the memory")

    async def close(self) -> None:
        """Ends all; returns when nothing of them is left."""
        self._most = 0
        for server in list(self._servers.values()):
            server.drop("the server ends")
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _begin(self, plan: Plan) -> None:
        if not self._most or plan in self._servers or plan in self._refused:
            return
        if self._available() < 2 * self._spare_bytes:
            return
        while len(self._servers) >= self._most:
            next(iter(self._servers.values())).drop("others were used since")
        name = _NAME.format(next(self._numbers))
        folders = Folders(self._instances / name)
        self._living.add(name)
        mark = (self._variable, self._mark + name)
        try:
            folders.make_empty()
            server = ForkServer(
                plan, folders, mark=mark, ended=lambda reason: self._ended(plan, server, reason)
            )
        except OSError as error:
            log.warning("a fork server could not be started: %s", error)
            folders.remove()
            self._living.discard(name)
            return
        self._servers[plan] = server
        self._touch(plan)

    def _touch(self, plan: Plan) -> None:
        self._servers[plan] = self._servers.pop(plan)
        self._used[plan] = asyncio.get_running_loop().time()

    def _refuse(self, plan: Plan, why: str) -> None:
        if plan not in self._refused:
            self._refused[plan] = why
            log.info("no fork server of %s any more: %s", plan.python.parent.parent.name, why)
        if (server := self._servers.get(plan)) is not None:
            server.drop(why)

    def _ended(self, plan: Plan, server: ForkServer, reason: str) -> None:
        if server.is_suspect:
            self._refuse(plan, reason)
        log.info("fork server of %s ended: %s", plan.python.parent.parent.name, reason)
        self._servers.pop(plan, None)
        self._used.pop(plan, None)
        task = asyncio.get_running_loop().create_task(self._clean_up(plan, server, reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _clean_up(self, plan: Plan, server: ForkServer, reason: str) -> None:
        await asyncio.to_thread(self._release, server)
        if server.is_suspect:
            self._refuse(plan, reason)

    def _release(self, server: ForkServer) -> None:
        server.judge()
        name = server.folders.root.name
        processes.end_all(
            lambda: processes.belonging(
                self._variable, (self._mark + name).__eq__, folder=server.folders.root, session=server.pid
            )
        )
        server.collect()  # only now may another process get its id, which is also that of its session
        server.folders.remove()
        self._living.discard(name)

    def _end_strays(self, mark: str) -> None:
        """A fork may have come about although nobody was told of it: it is a child of ours."""

        def find() -> set[int]:
            return processes.belonging(self._variable, mark.__eq__)

        strays = find()
        processes.end_all(find)
        for pid in strays:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
