"""A dispatcher that runs scripts instead of models: it drives ``Live`` logs as the real one does.

A script is an async function that gets a ``Run`` and says what the model would do. What is durable is written
to the real store first, then shown.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from stoker.core.catalog import Version
from stoker.core.deployments import Deployment
from stoker.core.errors import StokerError, Unavailable
from stoker.core.prediction import Ending, Prediction, Status, final_metrics, finished, started
from stoker.core.waiting import Wait
from stoker.ports.clock import Clock
from stoker.ports.store import Store
from stoker.runtime.copying import replay
from stoker.runtime.live import Live

Script = Callable[["Run"], Awaitable[None]]


class Run:
    """One prediction under a script."""

    def __init__(self, live: Live, store: Store, clock: Clock):
        self.live = live
        self.prediction = live.seen
        self.input: dict[str, Any] = msgspec.json.decode(live.seen.input)
        self.begun = asyncio.Event()
        self.stopped = asyncio.Event()
        self.copied_from: str | None = None
        self._store = store
        self._clock = clock

    async def start(self) -> None:
        now_us = self._clock.now_us()
        await self._store.predictions.start(self.prediction.id, now_us)
        self.prediction = started(self.prediction, now_us)
        self.live.advance(self.prediction)
        self.begun.set()

    def emit(self, *values: Any, item: bool = True) -> None:
        """Outputs that are ready in one turn."""
        for value in values:
            self.live.add_output(msgspec.json.encode(value), item=item)
        self.live.wake()

    def log(self, text: str) -> None:
        self.live.add_log(text)
        self.live.wake()

    async def end(self, status: Status = Status.SUCCEEDED, error: str | None = None) -> None:
        if self.prediction.status.is_final:
            return
        now_us = self._clock.now_us()
        before = self.prediction
        ending = Ending(
            status=status,
            completed_us=now_us,
            output=self.live.output(),
            logs=self.live.logs,
            error=error,
            metrics=final_metrics(
                {}, created_us=before.created_us, started_us=before.started_us, completed_us=now_us
            ),
            copied_from=self.copied_from,
        )
        self.prediction = finished(before, ending)
        await self._store.predictions.finish(before.id, ending)
        self.live.advance(self.prediction)


async def echo(run: Run) -> None:
    """Gives the input back; a training gives weights."""
    await run.start()
    trains = run.prediction.kind == "training"
    run.emit({"weights": "https://example.org/weights"} if trains else run.input, item=False)
    await run.end()


async def end_at_once(run: Run) -> None:
    """What it has to say was said before."""
    await run.start()
    await run.end()


async def never_starts(run: Run) -> None:
    """Waits in a queue for ever."""
    await run.stopped.wait()


async def never_ends(run: Run) -> None:
    """Runs until it is stopped."""
    await run.start()
    await run.stopped.wait()


class ScriptedDeployer:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.deployed: list[tuple[Deployment, Version]] = []
        self.withdrawn: list[Deployment] = []

    def deploy(self, deployment: Deployment, version: Version) -> None:
        self.deployed.append((deployment, version))

    def withdraw(self, deployment: Deployment) -> None:
        self.withdrawn.append(deployment)


class ScriptedWarmth:
    """Counts how often it was told of changes."""

    steps = 0

    async def step(self, now_us: int) -> None:
        self.steps += 1


class ScriptedDispatcher:
    """``script`` decides what the next predictions do."""

    def __init__(self, store: Store, clock: Clock):
        self.script: Script = echo
        self.draining = False
        self.refuses: StokerError | None = None
        """What the next predictions are answered with, instead of being taken."""
        self.running: list[dict[str, Any]] = []
        self.waits: dict[str, Wait] = {}
        """Why predictions wait, by their ids."""
        self.pauses: list[dict[str, Any]] = []
        self.guests: dict[str, str] = {}
        """By model: another, which runs in its instances."""
        self.warmth = ScriptedWarmth()
        self.submitted: list[Prediction] = []
        self._store = store
        self._clock = clock
        self._runs: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(
        self, prediction: Prediction, version: Version, *, told: bool = True, answer: Prediction | None = None
    ) -> Live:
        if self.draining:
            raise Unavailable
        if self.refuses is not None:
            raise self.refuses
        self.submitted.append(prediction)
        live = Live(prediction, iterates=version.iterates, log_limit_bytes=1 << 20)
        run = self._runs[prediction.id] = Run(live, self._store, self._clock)
        if answer is not None:
            live.came = "hit"
            run.copied_from = answer.id
            replay(answer, live)
        script = self.script if answer is None else end_at_once
        task = asyncio.get_running_loop().create_task(self._play(run, script))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return live

    def live(self, id: str) -> Live | None:
        run = self._runs.get(id)
        return run.live if run else None

    def live_by_stream_key(self, key: str) -> Live | None:
        return next((r.live for r in self._runs.values() if r.prediction.stream_key == key), None)

    async def cancel(self, id: str) -> Prediction | None:
        run = self._runs.get(id)
        if run is None:
            return None
        await run.end(Status.CANCELED)
        run.stopped.set()
        return run.prediction

    def instances(self) -> list[dict[str, Any]]:
        return self.running

    def of(self, id: str) -> Wait | None:
        return self.waits.get(id)

    def paused(self) -> list[dict[str, Any]]:
        return self.pauses

    def resume(self, *, model: str | None = None, deployment: str | None = None) -> list[dict[str, Any]]:
        ended = [
            p
            for p in self.pauses
            if p["deployment"] == deployment and model in (None, p["model"], self.guests.get(p["model"]))
        ]
        self.pauses = [p for p in self.pauses if p not in ended]
        return ended

    def run(self, id: str) -> Run:
        return self._runs[id]

    async def close(self) -> None:
        for run in list(self._runs.values()):
            run.stopped.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)

    async def _play(self, run: Run, script: Script) -> None:
        try:
            await self._store.predictions.accept(run.prediction)
        except Exception as error:  # noqa: BLE001  the client who waits must hear of it
            del self._runs[run.prediction.id]
            run.live.accepted.set_exception(error)
            return
        run.live.accepted.set_result(None)
        await script(run)
        self._runs.pop(run.prediction.id, None)
