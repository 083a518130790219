"""Kills what a soak has planned: instances, fork servers, and the server, which is then started again."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.processes import variables
from tests.servers import StokerServer
from tests.soak.plan import Blow, Victim
from tests.soak.verdicts import Kill

MARK = "STOKER_INSTANCE="
FORK_SERVER = ".fork-"
PATIENCE_S = 5.0
LOOK_S = 0.05


def marked(data_dir: Path) -> dict[int, str]:
    """The mark of each process of this data directory that leads an instance's or a fork server's session."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (mark := _mark(int(entry.name), data_dir)) is not None:
            found[int(entry.name)] = mark
    return found


def _mark(pid: int, data_dir: Path) -> str | None:
    mark = next((item for item in variables(pid) if item.startswith(MARK)), None)
    try:
        works_here = (Path("/proc") / str(pid) / "cwd").readlink().is_relative_to(data_dir / "instances")
        return mark if works_here and os.getsid(pid) == pid else None
    except OSError:
        return None


class Killer:
    """``before_restart`` is called before each kill of the server, which takes its memory along."""

    def __init__(
        self,
        server: StokerServer,
        up: asyncio.Event,
        *,
        seed: int,
        before_restart: Callable[[], Awaitable[None]],
    ):
        self.kills: list[Kill] = []
        self._server = server
        self._up = up
        self._before_restart = before_restart
        self._chance = random.Random(f"victims {seed}")

    async def run(self, blows: list[Blow], *, over: Callable[[], int], moved: asyncio.Condition) -> None:
        """Deals each blow when so many predictions are over."""
        for blow in blows:
            async with moved:
                await moved.wait_for(lambda: over() >= blow.after)  # noqa: B023  awaited here
            if blow.victim == "server":
                await self._kill_server()
            else:
                await self._kill_process(blow.victim)

    async def _kill_server(self) -> None:
        process = self._server.process
        assert process is not None
        await self._before_restart()
        self._up.clear()
        begun_us = _now_us()
        await asyncio.to_thread(self._server.kill)
        self.kills.append(Kill(victim="server", begun_us=begun_us, ended_us=_now_us(), pid=process.pid))
        await asyncio.to_thread(self._server.start)
        self._up.set()

    async def _kill_process(self, victim: Victim) -> None:
        """One by chance, as soon as there is one; none where that takes too long."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if (pid := await asyncio.to_thread(self._draw, victim)) is not None:
                return self._end(pid, victim)
            await asyncio.sleep(LOOK_S)
        return None

    def _draw(self, victim: Victim) -> int | None:
        found = marked(self._server.data_dir).items()
        fitting = [pid for pid, mark in found if (FORK_SERVER in mark) == (victim == "fork server")]
        return self._chance.choice(sorted(fitting)) if fitting else None

    def _end(self, pid: int, victim: Victim) -> None:
        model, begun_us = _model(pid), _now_us()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            kill = Kill(victim=victim, begun_us=begun_us, ended_us=_now_us(), pid=pid, model=model)
            self.kills.append(kill)


def _model(pid: int) -> str:
    """The name of the model that the process works for."""
    try:
        return (Path("/proc") / str(pid) / "cwd" / "name.txt").read_text()
    except OSError:
        return ""


def _now_us() -> int:
    return time.time_ns() // 1000
