"""The runtime with real model processes and a clock that tests move: an idle minute takes no minute.

The models hold until the test lets them go, so that nothing depends on how fast the machine is.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from stoker.core.catalog import Version
from stoker.core.placement import Machine
from stoker.core.prediction import Status
from stoker.engines.instance import ProcessInstance
from stoker.engines.process import ProcessEngine
from stoker.host import memory
from stoker.ports.engine import InstanceSpec, Listener
from stoker.ports.workspace import Place
from stoker.runtime.live import Live
from tests.processes import is_alive
from tests.runtime.stage import HereWorkspace, RoomyHost, Stage

WITHIN_S = 30.0

HOLDS = """
import os, signal, time
from pathlib import Path
from cog import BaseRunner

class Runner(BaseRunner):
    def setup(self) -> None:
        if {stubborn}:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def run(self, gate: str) -> int:
        print(f"pid {{os.getpid()}}", flush=True)
        while not Path(gate).exists():
            time.sleep(0.001)
        return os.getpid()
"""


class Watched(ProcessEngine):
    """Notes, whenever an instance begins, which of those before still live."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.pids: list[int] = []
        """Of all that began, in turn."""
        self.lived: list[list[bool]] = []
        """For each of them, which of the earlier ones lived."""

    async def start(self, spec: InstanceSpec, listener: Listener) -> ProcessInstance:
        self.lived.append([is_alive(pid) for pid in self.pids])
        instance = await super().start(spec, listener)
        self.pids.append(instance._child.pid)
        return instance


class Sources(HereWorkspace):
    """Each version's source is the model that holds, in the interpreter of the tests."""

    def __init__(self, folder: Path):
        super().__init__()
        self._folder = folder

    async def place(self, version: Version) -> Place:
        source = self._folder / version.model.replace("/", "-")
        if not source.exists():  # others may be reading it
            source.mkdir(parents=True)
            (source / "predict.py").write_text(HOLDS.format(stubborn="stubborn" in version.model))
        return Place(python=Path(sys.executable), source=source)


class RealStage(Stage):
    predicts = "predict.py:Runner"

    def furnish(self) -> None:
        folder = self.settings.data_dir
        self.engine = Watched(folder)
        self.workspace = Sources(folder / "models")
        self.host = RoomyHost()
        self._gates = 0

    def room_for(self, instances: int) -> None:
        """The machine gets that much main memory for instances; what is free is what it really says."""
        size_bytes = instances * (256 << 20)
        self.host.machine = Machine(memory_bytes=size_bytes, free_bytes=memory.available_bytes())

    def gate(self) -> Path:
        """A new one, closed."""
        self._gates += 1
        return self.settings.data_dir / f"gate{self._gates}"

    async def ask(self, version: Version, gate: Path) -> Live:
        return await self.submit(version, input=msgspec.Raw(msgspec.json.encode({"gate": str(gate)})))

    async def run(self, version: Version, *, took_s: float = 0.0) -> int:
        """One prediction, that takes so long by the clock; the process that ran it."""
        gate = self.gate()
        live = await self.ask(version, gate)
        await until(lambda: "pid" in live.logs)
        self.clock.advance(took_s)
        gate.touch()
        return await given(live)


async def given(live: Live) -> int:
    """What it gives, when it is over."""
    await until(lambda: live.over)
    assert live.seen.status is Status.SUCCEEDED, live.seen.error
    return int(bytes(live.seen.output or b"0"))


async def until(holds: Callable[[], object]) -> None:
    """Lets the loop turn until it holds."""
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        await asyncio.sleep(0.002)
