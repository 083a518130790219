"""Runs a synchronous model: everything in the main thread, one prediction at a time.

The main thread, because that is where ``setup`` ran: thread-local state is there, signal handlers may be
installed, and a cancel can interrupt it anywhere. Started by ``main``.
"""

from __future__ import annotations

import collections.abc
import functools
import inspect
import json
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stoker_worker import failure, frames, guard, late, outputs, scope, streams
from stoker_worker.channel import Channel
from stoker_worker.health import ThreadedHealth
from stoker_worker.inbound import Folder
from stoker_worker.inbox import Inbox
from stoker_worker.interrupt import Interrupt
from stoker_worker.model import Model, begin_setup, is_many
from stoker_worker.outlet import Outlet
from stoker_worker.sdk import cog

if TYPE_CHECKING:
    from stoker_worker.awaiting import Awaiting

_END = object()


class Synchronous:
    def __init__(self, model: Model, sock: socket.socket, inbox: Inbox, outlet: Outlet):
        self._model = model
        self._inbox = inbox
        self._outlet = outlet
        self._interrupt = Interrupt()
        self._channel = Channel(sock, self._interrupt)
        self._health = ThreadedHealth(model.loaded.healthcheck, self._tell_health)

    def set_up(self) -> None:
        begun = begin_setup(self._model)
        if begun is not None:
            self._awaiting.result(begun)

    def serve(self) -> None:
        """Runs predictions until the server says that it is over."""
        self._inbox.urgent = self._urgent
        streams.flush()
        self._channel.hold(frames.pack_json(frames.READY, 0, {"slots": 1}))
        self._channel.flush()
        while True:
            kind, number, payload = self._inbox.next()
            if kind == frames.SHUTDOWN:
                return
            if kind == frames.PREDICT:
                with self._inbox.watched():
                    self._run(number, payload)

    def _run(self, number: int, payload: bytes) -> None:
        request = json.loads(payload)
        own = scope.Scope(lambda *metric: self._tell_metric(number, *metric), request.get("context"))
        folder = Folder()
        self._interrupt.begin(number)
        scope.enter_process(own)
        status, error = self._outcome(number, request, folder)
        scope.enter_process(None)
        own.metrics.close()
        folder.close()
        self._interrupt.end()
        streams.flush()
        guard.flush_c_output()
        self._channel.hold(frames.pack_json(frames.DONE, number, {"status": status, "error": error}))
        self._channel.flush()

    def _outcome(self, number: int, request: dict[str, Any], folder: Folder) -> tuple[str, str | None]:
        """Runs the model; its status and error. A cancelled run is cancelled whatever became of it."""
        error = None
        try:
            arguments = self._model.inputs.arguments(request["input"], request.get("files", []), folder)
            self._give(number, self._interrupt.call(self._model.loaded.target, **arguments))
        except cog.CancelationException:
            return "canceled", None
        except BaseException as problem:  # noqa: BLE001 - the model's code, sys.exit included
            guard.end_if_forked()
            if not self._interrupt.is_cancelled:
                failure.log(problem)
                error = failure.words(problem)
        if self._interrupt.is_cancelled:
            return "canceled", None
        return ("succeeded", None) if error is None else ("failed", error)

    def _give(self, number: int, value: Any) -> None:
        if inspect.isawaitable(value):
            value = self._awaiting.result(value)
        if isinstance(value, collections.abc.AsyncIterator):
            value = self._awaiting.items(value)
        if self._model.grows:
            self._give_items(number, value)
            return
        if inspect.isgenerator(value):
            value = list(self._items(value))
        if not self._interrupt.is_cancelled:
            self._channel.hold(self._outlet.frame(number, outputs.encode(value), item=False))

    def _give_items(self, number: int, value: Any) -> None:
        given = False
        for item in self._items(value):
            if self._interrupt.is_cancelled:
                continue  # the model swallowed it and goes on; nobody reads this any more
            given = True
            self._channel.send(self._outlet.frame(number, outputs.encode(item), item=True))
        if not given and not self._interrupt.is_cancelled:
            self._channel.hold(frames.pack(frames.OUTPUT, number, b"[]"))

    def _items(self, value: Any) -> Iterator[Any]:
        if value is None:
            return
        if not is_many(value):
            yield value
            return
        iterator = iter(value)
        call = self._interrupt.call
        try:
            while (item := call(next, iterator, _END)) is not _END:
                yield item
        finally:
            close = getattr(iterator, "close", None)  # a generator's clean-up runs within its own run
            if close is not None:
                close()

    @functools.cached_property
    def _awaiting(self) -> Awaiting:
        return late.get("stoker_worker.awaiting", "Awaiting")(self._interrupt)

    def _urgent(self, kind: int, number: int) -> None:
        if kind == frames.CANCEL:
            self._interrupt.cancel(number)
        else:
            self._health.ask()

    def _tell_metric(self, number: int, name: str, value: Any, mode: str) -> None:
        metric = {"name": name, "value": value, "mode": mode}
        self._channel.send(frames.pack_json(frames.METRIC, number, metric))

    def _tell_health(self, error: str | None) -> None:
        self._channel.send(frames.pack_json(frames.HEALTHY, 0, {"error": error}))
