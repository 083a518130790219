"""Everything of the runtime but models: a real store, a clock that tests move, and scripted instances."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stoker.core import ids
from stoker.core.catalog import Model, Recipe, Version
from stoker.core.hardware import offered
from stoker.core.links import Links
from stoker.core.placement import Machine
from stoker.core.prediction import Prediction
from stoker.core.settings import Settings
from stoker.files.local import LocalBlobs
from stoker.ports.engine import Instance, InstanceSpec, Listener, Run, Start, Usage
from stoker.ports.workspace import Place
from stoker.runtime.boots import Boots
from stoker.runtime.deployed import Deployed
from stoker.runtime.dispatch import Dispatcher
from stoker.runtime.errands import Errands
from stoker.runtime.fleet import Fleet
from stoker.runtime.inputs import InputFiles
from stoker.runtime.launch import Launch
from stoker.runtime.learning import Learning
from stoker.runtime.ledger import Ledger
from stoker.runtime.live import Live
from stoker.runtime.outbound import Outbound
from stoker.runtime.outputs import OutputFiles
from stoker.runtime.placing import Placing
from stoker.runtime.scales import Scales
from stoker.runtime.trainings import Trainings
from stoker.runtime.waits import Waits
from stoker.runtime.warmth import Warmth
from stoker.store.sqlite import SqliteStore

SCHEMA: dict[str, Any] = {
    "components": {"schemas": {"Input": {"type": "object", "properties": {}}, "Output": {"type": "string"}}}
}


class FakeClock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self._now_us = 1_700_000_000_000_000
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_us(self) -> int:
        return self._now_us

    @property
    def sleepers(self) -> int:
        """How many sleep."""
        return sum(not future.done() for _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now_us + int(seconds * 1e6), future))
        await future

    def advance(self, seconds: float) -> int:
        self._now_us += int(seconds * 1e6)
        due = [future for at, future in self._sleepers if at <= self._now_us]
        self._sleepers = [(at, future) for at, future in self._sleepers if at > self._now_us]
        for future in due:
            if not future.done():
                future.set_result(None)
        return self._now_us


class ScriptedInstance:
    """Does what the test says through its listener, and notes what it was asked."""

    def __init__(self, spec: InstanceSpec, listener: Listener):
        self.id = spec.id
        self.began: Start = "plain"
        self.spec = spec
        self.listener = listener
        self.runs: list[Run] = []
        self.cancelled: list[int] = []
        self.health_checks = 0
        self.stopped = False
        self.lingers = False
        """Whether its end takes until the test says so."""
        self.is_immortal = False
        """Whether it hangs in the kernel."""
        self.killed: str | None = None

    def predict(self, run: Run) -> None:
        self.runs.append(run)

    def cancel(self, run: int) -> None:
        self.cancelled.append(run)

    def check_health(self) -> None:
        self.health_checks += 1

    def kill(self, reason: str) -> None:
        self.killed = reason
        if not self.is_immortal:
            self.listener.exited(reason)

    async def stop(self, grace_s: float) -> None:
        if not self.stopped:
            self.stopped = True
            if not self.lingers:
                self.listener.exited("stopped")

    def succeed(self, run: int, value: Any = "ok") -> None:
        self.listener.output(run, msgspec.json.encode(value), item=False, files=[])
        self.listener.done(run, "succeeded", None)
        self.listener.turn_ended()


class ScriptedEngine:
    def __init__(self) -> None:
        self.instances: list[ScriptedInstance] = []
        self.refuses: Exception | None = None
        self.takes: dict[str, Usage] = {}
        """What instances take, by their ids."""
        self.spare_bytes = 0
        """Memory that it holds for quick starts."""
        self.reclaimed: list[int] = []
        """How much of it was asked for."""

    async def start(self, spec: InstanceSpec, listener: Listener) -> Instance:
        if self.refuses is not None:
            raise self.refuses
        instance = ScriptedInstance(spec, listener)
        self.instances.append(instance)
        return instance

    async def usage(self) -> dict[str, Usage]:
        return self.takes

    async def reclaimable_bytes(self) -> int:
        return self.spare_bytes

    def reclaim(self, size_bytes: int) -> None:
        self.reclaimed.append(size_bytes)

    async def disk_usage(self) -> dict[str, int]:
        return {}

    async def sweep(self) -> int:
        return 0


class HereWorkspace:
    def __init__(self) -> None:
        self.refuses: Exception | None = None
        self.gate: asyncio.Event | None = None
        """Where a test holds up what asks for a place."""
        self.swept: list[tuple[set[str], set[str], set[str], float]] = []
        """What each sweep was asked to keep, and for how long environments are."""

    async def place(self, version: Version) -> Place:
        if self.refuses is not None:
            raise self.refuses
        if self.gate is not None:
            await self.gate.wait()
        return Place(python=Path("python"), source=Path("source"))

    async def sweep(
        self,
        versions: set[str],
        environments: set[str],
        checkpoints: set[str],
        *,
        environment_keep_s: float,
    ) -> int:
        self.swept.append((versions, environments, checkpoints, environment_keep_s))
        return 0


class RoomyHost:
    """A machine with room for everything, until a test says otherwise."""

    def __init__(self) -> None:
        self.machine = Machine(memory_bytes=1 << 40, free_bytes=1 << 40)

    @property
    def has_gpus(self) -> bool:
        return bool(self.machine.gpus)

    @property
    def disk_is_full(self) -> bool:
        return self.machine.disk_is_full

    def look(self) -> Machine:
        return self.machine

    def troubles(self) -> list[str]:
        return ["The disk is full."] if self.disk_is_full else []

    def visible(self, gpus: Sequence[int]) -> tuple[int, ...]:
        return tuple(gpus)

    def threads(self, gpus: int) -> int:
        return 1


class Stage:
    engine: Any
    workspace: Any
    host: Any
    predicts = "predict.py:Predictor"
    """Of every version."""

    def __init__(self, store: SqliteStore, settings: Settings, clock: FakeClock):
        self.store = store
        self.clock = clock
        self.settings = settings
        self.furnish()
        self.links = Links("http://stoker.test", b"k" * 32)
        self.owed = 0
        blobs = LocalBlobs(settings.data_dir)
        self.learning = Learning(store)
        self.boots = Boots()
        self.scales = Scales(store=store, learning=self.learning, clock=clock, settings=settings)
        self.launch = Launch(
            engine=self.engine,
            workspace=self.workspace,
            host=self.host,
            boots=self.boots,
            clock=clock,
            settings=settings,
        )
        self.fleet = Fleet(
            launch=self.launch,
            host=self.host,
            placing=Placing(offered(settings.hardware, ())),
            learning=self.learning,
            scales=self.scales,
            clock=clock,
            settings=settings,
        )
        self.deployed = Deployed(store=store, fleet=self.fleet, scales=self.scales)
        self.warmth = Warmth(scales=self.scales, fleet=self.fleet, deployed=self.deployed)
        self.outbound = Outbound(())
        files: dict[str, Any] = {
            "store": store, "blobs": blobs, "links": self.links, "clock": clock, "settings": settings,
        }  # fmt: skip
        self.inputs = InputFiles(outbound=self.outbound, **files)
        self.errands = Errands(
            inputs=self.inputs,
            outputs=OutputFiles(**files),
            trainings=Trainings(store=store, links=self.links, clock=clock),
        )
        self.dispatcher = Dispatcher(
            ledger=Ledger(store=store, clock=clock, owed=self._count_owed),
            fleet=self.fleet,
            deployed=self.deployed,
            errands=self.errands,
            clock=clock,
            settings=settings,
            watched=lambda live: None,
        )
        self.waits = Waits(
            dispatcher=self.dispatcher,
            fleet=self.fleet,
            errands=self.errands,
            learning=self.learning,
            clock=clock,
            settings=settings,
        )

    def furnish(self) -> None:
        """What stands behind the runtime: scripts, unless a stage has something else."""
        self.engine = ScriptedEngine()
        self.workspace = HereWorkspace()
        self.host = RoomyHost()

    async def version(self, name: str = "m", *, slots: int = 1, hardware: str = "cpu") -> Version:
        owner_name = f"local/{name}"
        model = Model(owner="local", name=name, account="local", created_us=1, hardware=hardware)
        await self.store.models.create(model)
        version = Version(
            id=ids.token_digest(name),
            model=owner_name,
            created_us=1,
            cog_version="0.23.1",
            openapi_schema=SCHEMA,
            recipe=Recipe(environment="e", predict=self.predicts, slots=slots),
            source=(),
            hardware=hardware,
        )
        await self.store.versions.create(version)
        return version

    async def another(self, version: Version) -> Version:
        """A newer version of the same model."""
        newer = msgspec.structs.replace(version, id=version.id[::-1], created_us=version.created_us + 1)
        await self.store.versions.create(newer)
        return newer

    def prediction(self, version: Version, *, account: str = "local", **fields: Any) -> Prediction:
        now_us = self.clock.now_us()
        return Prediction(
            id=ids.prediction_id(now_us, secrets.token_bytes(10)),
            account=account,
            model=version.model,
            version=version.id,
            created_us=now_us,
            stream_key=secrets.token_hex(8),
            **fields,
        )

    async def submit(self, version: Version, **fields: Any) -> Live:
        live = self.dispatcher.submit(self.prediction(version, **fields), version)
        await live.accepted
        return live

    async def instance(self, number: int = 0, *, slots: int | None = 1) -> ScriptedInstance:
        """The instance that was started as that number, ready with so many slots."""
        await until(lambda: len(self.engine.instances) > number)
        instance = self.engine.instances[number]
        if slots is not None:
            instance.listener.ready(slots=slots)
        return instance

    def step(self, seconds: float) -> None:
        """Time passes and the duties look."""
        now_us = self.clock.advance(seconds)
        self.dispatcher.step(now_us)
        self.fleet.step(now_us)
        self.waits.step(now_us)

    def _count_owed(self) -> None:
        self.owed += 1


async def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Lets the loop turn until something holds; the disk behind it is a real one."""
    last = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < last, "it never came to hold"
        await asyncio.sleep(0)


def play(
    tmp_path: Path,
    act: Callable[[Any], Awaitable[None]],
    *,
    crash: bool = False,
    make: Callable[[SqliteStore, Settings, FakeClock], Stage] = Stage,
    **settings: Any,
) -> None:
    """Runs a test's story on a fresh stage; with ``crash`` the server ends without a goodbye."""

    async def run() -> None:
        clock = FakeClock()
        store = await SqliteStore.open(tmp_path)
        stage = make(store, Settings(data_dir=tmp_path, **settings), clock)
        try:
            await act(stage)
        finally:
            if not crash:
                await stage.fleet.close()
            await stage.outbound.close()
            await store.close()

    asyncio.run(asyncio.wait_for(run(), 60))
