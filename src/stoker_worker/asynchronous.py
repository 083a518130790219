"""Runs an asynchronous model: all slots on one event loop, in the main thread, with its ``setup``.

Started by ``main``. Each run is a task; its prints, metrics and scope follow it by context variables.
"""

from __future__ import annotations

import asyncio
import collections.abc
import inspect
import json
import socket
from typing import Any

from stoker_worker import failure, frames, guard, outputs, scope, streams
from stoker_worker.inbound import Folder
from stoker_worker.inbox import Inbox
from stoker_worker.loop_channel import LoopChannel
from stoker_worker.loop_health import LoopHealth
from stoker_worker.model import Model, begin_setup, is_many
from stoker_worker.outlet import Outlet
from stoker_worker.sdk import cog


class _Run:
    """One prediction in progress."""

    def __init__(self, number: int):
        self.number = number
        self.task: asyncio.Task[None] | None = None
        self.in_model = False
        """Whether a cancel would reach the model; before that, the run ends before it begins."""
        self.is_cancelled = False


class Asynchronous:
    def __init__(self, model: Model, slots: int, sock: socket.socket, inbox: Inbox, outlet: Outlet):
        self._model = model
        self._slots = slots
        self._socket = sock
        self._inbox = inbox
        self._outlet = outlet
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._channel = LoopChannel(sock, self._loop)
        check = model.loaded.healthcheck
        self._health = LoopHealth(check, self._tell_health) if check is not None else None
        self._runs: dict[int, _Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False

    def set_up(self) -> None:
        begun = begin_setup(self._model)
        if begun is not None:
            self._loop.run_until_complete(_awaited(begun))

    def serve(self) -> None:
        """Runs predictions until the server says that it is over."""
        streams.flush()
        self._channel.send(frames.pack_json(frames.READY, 0, {"slots": self._slots}))
        self._loop.add_reader(self._socket.fileno(), self._read)
        while not self._is_over:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                failure.log(error)  # of a task that the model started: asyncio lets these stop the loop
        self._loop.remove_reader(self._socket.fileno())
        self._loop.run_until_complete(self._end())

    @property
    def _is_over(self) -> bool:
        return self._ending and not self._runs

    def _read(self) -> None:
        for kind, number, payload in self._inbox.read_ready():
            if kind == frames.PREDICT:
                run = self._runs[number] = _Run(number)
                run.task = self._start(self._run(run, payload))
            elif kind == frames.CANCEL:
                self._cancel(number)
            elif kind == frames.HEALTH:
                self._check_health()
            elif kind == frames.SHUTDOWN:
                self._ending = True
        if self._is_over:
            self._loop.stop()

    def _start(self, coroutine: Any) -> asyncio.Task[None]:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)  # asyncio itself keeps only weak references
        task.add_done_callback(self._tasks.discard)
        return task

    def _cancel(self, number: int) -> None:
        run = self._runs.get(number)
        if run is not None and not run.is_cancelled:
            run.is_cancelled = True
            if run.in_model and run.task is not None:
                run.task.cancel()

    def _check_health(self) -> None:
        if self._health is None:
            self._tell_health(None)
        else:
            self._start(self._health.ask())

    async def _end(self) -> None:
        """The last frames leave, and what the model has left running gets to clean up."""
        await self._channel.drained()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    async def _run(self, run: _Run, payload: bytes) -> None:
        number = run.number
        request = json.loads(payload)
        own = scope.Scope(lambda *metric: self._tell_metric(number, *metric), request.get("context"))
        scope.enter_task(own)
        log = None
        if self._slots > 1:
            log = streams.Log(lambda text: self._tell_log(number, text))
            streams.enter(log)
        folder = Folder()
        status, error = await self._outcome(run, request, folder)
        own.metrics.close()
        folder.close()
        if log is not None:
            log.close()
        else:
            streams.flush()
            guard.flush_c_output()
        self._channel.send(frames.pack_json(frames.DONE, number, {"status": status, "error": error}))
        del self._runs[number]
        if self._is_over:
            self._loop.stop()

    async def _outcome(self, run: _Run, request: dict[str, Any], folder: Folder) -> tuple[str, str | None]:
        """Runs the model; its status and error. A cancelled run is cancelled whatever became of it."""
        error = None
        try:
            arguments = await self._arguments(request, folder)
            run.in_model = True
            if not run.is_cancelled:
                value = self._model.loaded.target(**arguments)
                await self._give(run, await value if inspect.isawaitable(value) else value)
        except cog.CancelationException:
            run.is_cancelled = True
        except BaseException as problem:  # noqa: BLE001 - the model's code, sys.exit and CancelledError included
            guard.end_if_forked()
            if not run.is_cancelled:
                failure.log(problem)
                error = failure.words(problem)
        run.in_model = False
        if run.is_cancelled:
            return "canceled", None
        return ("succeeded", None) if error is None else ("failed", error)

    async def _arguments(self, request: dict[str, Any], folder: Folder) -> dict[str, Any]:
        convert, given, files = self._model.inputs.arguments, request["input"], request.get("files", [])
        if files:  # copying them must not hold the other runs up
            return await asyncio.to_thread(convert, given, files, folder)
        return convert(given, files, folder)

    async def _give(self, run: _Run, value: Any) -> None:
        if self._model.grows:
            await self._give_items(run, value)
            return
        if isinstance(value, collections.abc.AsyncIterator):
            value = [item async for item in value]
        elif inspect.isgenerator(value):
            value = list(value)
        if not run.is_cancelled:
            self._channel.send(await self._frame(run, value, item=False))

    async def _give_items(self, run: _Run, value: Any) -> None:
        given = False
        if isinstance(value, collections.abc.AsyncIterator):
            try:
                async for item in value:
                    given = True
                    await self._give_item(run, item)
            finally:
                await _close(value)
        elif value is not None:
            for item in value if is_many(value) else (value,):
                given = True
                await self._give_item(run, item)
        if not given and not run.is_cancelled:
            self._channel.send(frames.pack(frames.OUTPUT, run.number, b"[]"))

    async def _give_item(self, run: _Run, item: Any) -> None:
        if run.is_cancelled:  # the model swallowed the cancel and goes on
            raise asyncio.CancelledError
        channel = self._channel
        channel.send(await self._frame(run, item, item=True))
        if channel.is_overdue:  # a generator that never awaits must not keep items, or other runs, back
            channel.flush()
            await asyncio.sleep(0)
        if channel.is_full:
            await channel.drained()

    async def _frame(self, run: _Run, value: Any, *, item: bool) -> bytes:
        encoded = outputs.encode(value)
        if encoded.sources:
            return await asyncio.to_thread(self._outlet.frame, run.number, encoded, item=item)
        return self._outlet.frame(run.number, encoded, item=item)

    def _tell_metric(self, number: int, name: str, value: Any, mode: str) -> None:
        metric = {"name": name, "value": value, "mode": mode}
        self._channel.send(frames.pack_json(frames.METRIC, number, metric))

    def _tell_log(self, number: int, text: str) -> None:
        self._channel.send(frames.pack(frames.LOG, number, text.encode("utf-8", "backslashreplace")))

    def _tell_health(self, error: str | None) -> None:
        self._channel.send(frames.pack_json(frames.HEALTHY, 0, {"error": error}))


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


async def _close(iterator: Any) -> None:
    """A generator's clean-up runs now, within its own run."""
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
