"""What the tests of the worker and the engine work with: real processes, and a listener that remembers."""

import asyncio
import contextlib
import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stoker.engines.process import ProcessEngine
from stoker.ports.engine import InputFile, Instance, InstanceSpec, OutputFile, Run
from tests.processes import variables

MODELS = Path(__file__).parent / "models"
PATIENCE_S = 30.0
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
        self.setup_error: str | None = None
        self.logs = ""
        self.runs: dict[int, RunRecord] = {}
        self.health_answers: list[str | None] = []
        self.exit_reason: str | None = None
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
    """An engine with a data directory of its own, and all that it has started."""

    def __init__(self, folder: Path):
        self.data_dir = folder / "data"
        self.engine = self.make_engine()
        self._started: list[Started] = []

    def make_engine(self, **limits: Any) -> ProcessEngine:
        return ProcessEngine(self.data_dir, **limits)

    async def launch(
        self, predictor: str, *, source: Path = MODELS, engine: ProcessEngine | None = None, **options: Any
    ) -> Started:
        """Starts an instance without waiting for it to be ready."""
        told = Recorder()
        spec = InstanceSpec(
            id=f"instance{len(self._started)}",
            version="0" * 64,
            python=PYTHON,
            source=source,
            predictor=predictor,
            **options,
        )
        started = Started(await (engine or self.engine).start(spec, told), told)
        self._started.append(started)
        return started

    async def start(self, predictor: str, **options: Any) -> Started:
        started = await self.launch(predictor, **options)
        await started.told.until_ready()
        return started

    async def close(self) -> None:
        for started in self._started:
            await started.instance.stop(0)


def is_instance(pid: int) -> bool:
    """Whether the process carries an engine's mark; one that has ended carries nothing."""
    return any(variable.startswith("STOKER_INSTANCE=") for variable in variables(pid))


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
