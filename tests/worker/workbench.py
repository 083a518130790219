"""What the tests of the worker and the engine work with: real processes, and a listener that remembers."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from stoker.engines import surroundings
from stoker.engines.folders import Folders
from stoker.engines.forking.plans import plan
from stoker.engines.process import ProcessEngine
from stoker.ports.engine import InputFile, Instance, InstanceSpec, OutputFile, Run
from tests.environments import make_environment
from tests.processes import variables

MODELS = Path(__file__).parent / "models"
PATIENCE_S = 90.0
PYTHON = Path(os.environ.get("STOKER_TEST_PYTHON", sys.executable))
"""What models run in. Any interpreter with ``cog`` will do: the worker must run on all that Cog supports."""


class RunRecord:
    """What was told of one run."""

    def __init__(self) -> None:
        self.logs = ""
        self.outputs: list[Any] = []
        """Whole outputs and items, as Python values."""
        self.whole: bool | None = None
        self.files: list[list[OutputFile]] = []
        """Of each output or item."""
        self.metrics: list[tuple[str, Any, str]] = []
        self.status: str | None = None
        self.error: str | None = None

    @property
    def output(self) -> Any:
        assert self.whole is True, f"no whole output: {vars(self)}"
        (value,) = self.outputs
        return value

    @property
    def items(self) -> list[Any]:
        assert self.whole is False, f"no items: {vars(self)}"
        return self.outputs


class Recorder:
    """A listener that remembers all and wakes whoever waits for something to be true."""

    def __init__(self) -> None:
        self.slots: int | None = None
        self.stages: list[str] = []
        self.setup_error: str | None = None
        self.logs = ""
        self.runs: dict[int, RunRecord] = {}
        self.health_answers: list[str | None] = []
        self.exit_reason: str | None = None
        self.has_outgrown = False
        self.turns = 0
        self._waiters: list[asyncio.Event] = []

    async def until(self, condition: Callable[[], bool]) -> None:
        woken = asyncio.Event()
        self._waiters.append(woken)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    woken.clear()
                    await woken.wait()
        except TimeoutError:
            raise AssertionError(f"it did not come true: {vars(self)}") from None
        finally:
            self._waiters.remove(woken)

    async def until_ready(self) -> None:
        await self.until(lambda: self.slots is not None or self.exit_reason is not None)
        assert self.slots is not None, f"{self.setup_error} {self.exit_reason}\n{self.logs}"

    async def until_done(self, run: int) -> RunRecord:
        record = self.run(run)
        await self.until(lambda: record.status is not None or self.exit_reason is not None)
        return record

    async def until_exited(self) -> str:
        await self.until(lambda: self.exit_reason is not None)
        assert self.exit_reason is not None
        return self.exit_reason

    def run(self, number: int) -> RunRecord:
        return self.runs.setdefault(number, RunRecord())

    def _wake(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    def reached(self, stage: str) -> None:
        self._check_alive()
        self.stages.append(stage)
        self._wake()

    def ready(self, *, slots: int) -> None:
        self.slots = slots
        self._wake()

    def setup_failed(self, error: str) -> None:
        self.setup_error = error
        self._wake()

    def instance_log(self, text: str) -> None:
        self._check_alive()
        self.logs += text
        self._wake()

    def log(self, run: int, text: str) -> None:
        self._open(run).logs += text
        self._wake()

    def output(self, run: int, value: bytes, *, item: bool, files: list[OutputFile]) -> None:
        record = self._open(run)
        record.whole = not item
        record.outputs.append(json.loads(value))
        record.files.append(files)
        self._wake()

    def metric(self, run: int, name: str, value: Any, mode: str) -> None:
        self._open(run).metrics.append((name, value, mode))
        self._wake()

    def done(self, run: int, status: str, error: str | None) -> None:
        record = self._open(run)
        record.status, record.error = status, error
        self._wake()

    def health(self, error: str | None) -> None:
        self._check_alive()
        self.health_answers.append(error)
        self._wake()

    def turn_ended(self) -> None:
        self.turns += 1

    def outgrew(self) -> None:
        self._check_alive()
        self.has_outgrown = True

    def exited(self, reason: str) -> None:
        self._check_alive()
        self.exit_reason = reason
        self._wake()

    def _open(self, run: int) -> RunRecord:
        """A run of which something may still come."""
        self._check_alive()
        record = self.run(run)
        assert record.status is None, f"something came after the end of run {run}"
        return record

    def _check_alive(self) -> None:
        assert self.exit_reason is None, "something came after the instance's end"


class Started:
    """A running instance with its listener."""

    def __init__(self, instance: Instance, told: Recorder):
        self.instance = instance
        self.told = told
        self._numbers = itertools.count(1)

    def begin(
        self, input: dict[str, Any] | None = None, *, files: list[InputFile] | None = None, **context: str
    ) -> int:
        """Hands over a run without waiting; its number."""
        number = next(self._numbers)
        run = Run(
            number=number, prediction=f"p{number}", input=input or {}, files=files or [], context=context
        )
        self.instance.predict(run)
        return number

    async def run(self, input: dict[str, Any] | None = None, **options: Any) -> RunRecord:
        return await self.told.until_done(self.begin(input, **options))

    async def succeed(self, input: dict[str, Any] | None = None, **options: Any) -> RunRecord:
        record = await self.run(input, **options)
        assert record.status == "succeeded", f"{record.status} {record.error}\n{record.logs}{self.told.logs}"
        return record


class Workbench:
    """An engine with a data directory of its own, and all that it has started.

    With ``forked`` every instance is forked from a process that has the imports done.
    """

    def __init__(self, folder: Path, *, forked: bool = False):
        self.data_dir = folder / "data"
        self.forked = forked
        self.python = PYTHON
        self._folder = folder
        if forked:
            self.python = make_environment(folder / "environment", {"heavy": "WEIGHT = 1\n"}, python=PYTHON)
        self._engines: list[ProcessEngine] = []
        self.engine = self.make_engine()
        self._started: list[Started] = []

    def make_engine(self, **limits: Any) -> ProcessEngine:
        engine = ProcessEngine(self.data_dir, **limits)
        self._engines.append(engine)
        return engine

    async def launch(
        self, predictor: str, *, source: Path = MODELS, engine: ProcessEngine | None = None, **options: Any
    ) -> Started:
        """Starts an instance without waiting for it to be ready."""
        engine = engine or self.engine
        number = len(self._started)
        spec = self.spec(predictor, source=source, id=f"instance{number}", **options)
        forked = self.forked and (source / predictor.partition(":")[0]).exists()
        if forked:
            heavy = self._folder / f"source{number}"
            make_heavy(source, predictor, heavy)
            spec = msgspec.structs.replace(spec, source=heavy)
            await warm(engine, spec)
        told = Recorder()
        started = Started(await engine.start(spec, told), told)
        self._started.append(started)
        assert started.instance.began == "forked" or not forked
        return started

    def spec(self, predictor: str, *, source: Path = MODELS, **options: Any) -> InstanceSpec:
        return InstanceSpec(
            version="0" * 64, source=source, predictor=predictor, **{"python": self.python, **options}
        )

    def folders(self) -> list[str]:
        """Of instances, those of fork servers not counted."""
        return [path.name for path in (self.data_dir / "instances").iterdir() if path.name[:5] != "fork-"]

    async def start(self, predictor: str, **options: Any) -> Started:
        started = await self.launch(predictor, **options)
        await started.told.until_ready()
        return started

    async def close(self) -> None:
        for started in self._started:
            await started.instance.stop(0)
        for engine in self._engines:
            await engine.close()


def make_heavy(source: Path, predictor: str, target: Path) -> None:
    """A copy of the source whose predictor imports a package first; all lines stay where they are."""
    shutil.copytree(source, target, symlinks=True)
    file = target / predictor.partition(":")[0]
    file.chmod(0o644)
    first = re.compile(r"^(?=import |from (?!__future__))", re.MULTILINE)
    text, changed = first.subn("import heavy; ", file.read_text(), count=1)
    file.write_text(text if changed else f"import heavy; {text}")


async def warm(engine: ProcessEngine, spec: InstanceSpec) -> None:
    """Has the engine make a fork server for such instances, as it does after a slow start; waits for it."""
    variables = surroundings.variables(spec, Folders(Path()))
    kind = plan(spec, variables)
    assert kind is not None, "nothing to import"
    with told_by_log("stoker.engines.forking") as heard:
        engine.forks.booted(kind, forked=False, imports_s=1.0)
        async with asyncio.timeout(PATIENCE_S):
            while kind not in engine.forks.ready and kind not in engine.forks.refused:
                await heard.wait()
                heard.clear()


@contextlib.contextmanager
def told_by_log(name: str) -> Iterator[asyncio.Event]:
    """An event that is set by whatever is logged."""
    event, logger = asyncio.Event(), logging.getLogger(name)
    handler = logging.Handler()
    handler.emit = lambda record: event.set()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield event
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def is_instance(pid: int) -> bool:
    """Whether the process carries an instance's mark; one that has ended carries nothing."""
    return any(re.match(r"STOKER_INSTANCE=\w+\.(?!fork-)", variable) for variable in variables(pid))


async def until_dead(pid: int) -> None:
    """Waits for a process that need not be our child."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(handle, ended.set)
        try:
            await asyncio.wait_for(ended.wait(), PATIENCE_S)
        finally:
            loop.remove_reader(handle)
            os.close(handle)
