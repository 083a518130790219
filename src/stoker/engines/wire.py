"""The protocol with one worker over its socket. Used by ``instance``; knows nothing of processes.

Frames of runs that are over, or never were, are dropped: a process that a model forked may still send some.
"""

import asyncio
import contextlib
import fcntl
import socket
import termios
from array import array
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from stoker.core.errors import InstanceFailed
from stoker.engines import frames
from stoker.ports.engine import InputFile, Listener, MetricMode, OutputFile, Run, Stage

_READ_BYTES = 1 << 18

Claim = Callable[[OutputFile], OutputFile]
"""Moves a file out of the instance's folders, which may be gone before the listener reads it."""


class _Predict(msgspec.Struct):
    id: str
    input: dict[str, Any]
    files: list[InputFile]
    context: dict[str, str]


class _Ready(msgspec.Struct):
    slots: int


class _Stage(msgspec.Struct):
    stage: Stage


class _Problem(msgspec.Struct):
    error: str | None


class _Failed(msgspec.Struct):
    error: str


class _OutputFiles(msgspec.Struct):
    value: msgspec.Raw
    item: bool
    files: list[OutputFile]


class _Metric(msgspec.Struct):
    name: str
    value: Any
    mode: MetricMode


class _Done(msgspec.Struct):
    status: Literal["succeeded", "failed", "canceled"]
    error: str | None


_encode = msgspec.json.Encoder().encode
_stage = msgspec.json.Decoder(_Stage).decode
_ready = msgspec.json.Decoder(_Ready).decode
_problem = msgspec.json.Decoder(_Problem).decode
_failed = msgspec.json.Decoder(_Failed).decode
_output_files = msgspec.json.Decoder(_OutputFiles).decode
_metric = msgspec.json.Decoder(_Metric).decode
_done = msgspec.json.Decoder(_Done).decode
_check_json = msgspec.json.Decoder(msgspec.Raw).decode


class Wire:
    def __init__(self, sock: socket.socket, listener: Listener, *, claim: Claim, limit_bytes: int):
        self.ready = False
        self.stages: dict[Stage, float] = {}
        """When the boot came to its stages, by the loop's clock."""
        self._socket = sock
        self._listener = listener
        self._claim = claim
        self._decoder = frames.Decoder(limit_bytes)
        self._runs = set[int]()
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()

    @property
    def only_run(self) -> int | None:
        """The run in progress, where there is exactly one."""
        return next(iter(self._runs)) if len(self._runs) == 1 else None

    # -- to the worker -----------------------------------------------------------------------------

    def begin(self, run: Run) -> None:
        self._runs.add(run.number)
        body = _encode(_Predict(run.prediction, run.input, run.files, run.context))
        self.send(frames.pack(frames.PREDICT, run.number, body))

    def send(self, data: bytes) -> None:
        """Writes at once what the worker takes; the rest when it does."""
        if not self._unsent:
            data = data[self._write(data) :]
            if not data:
                return
            self._loop.add_writer(self._socket.fileno(), self._send_more)
        self._unsent += data

    def _send_more(self) -> None:
        del self._unsent[: self._write(self._unsent)]
        if not self._unsent:
            self._loop.remove_writer(self._socket.fileno())

    def _write(self, data: bytes | bytearray) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:  # the process is gone: its exit tells
            return len(data)

    def close(self) -> None:
        """Nothing more can be sent."""
        if self._unsent:
            self._loop.remove_writer(self._socket.fileno())
            self._unsent.clear()

    # -- from the worker ---------------------------------------------------------------------------

    def read(self) -> bytes | None:
        """Some of what is there: no bytes at the end, None where there is nothing yet."""
        try:
            return self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def rest(self) -> Iterator[bytes]:
        """All that was there at the moment of the call."""
        count = array("i", [0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._socket.fileno(), termios.FIONREAD, count)
        left = count[0]
        while left > 0 and (data := self.read()):
            left -= len(data)
            yield data

    def take(self, data: bytes, *, before_done: Callable[[], None]) -> None:
        """Tells the listener what the frames say; raises where they are not what the protocol has."""
        listener, runs = self._listener, self._runs
        for kind, run, payload in self._decoder.feed(data):
            if run not in runs:
                self._take_of_instance(kind, payload)
            elif kind == frames.ITEM or kind == frames.OUTPUT:
                _check_json(payload)
                listener.output(run, payload, item=kind == frames.ITEM, files=[])
            elif kind == frames.LOG:
                listener.log(run, payload.decode("utf-8", "replace"))
            elif kind == frames.DONE:
                before_done()
                runs.discard(run)
                done = _done(payload)
                listener.done(run, done.status, done.error)
            else:
                self._take_of_run(kind, run, payload)

    def _take_of_run(self, kind: int, run: int, payload: bytes) -> None:
        if kind == frames.METRIC:
            metric = _metric(payload)
            self._listener.metric(run, metric.name, metric.value, metric.mode)
        elif kind == frames.OUTPUT_FILES:
            output = _output_files(payload)
            files = [self._claim(file) for file in output.files]
            self._listener.output(run, bytes(output.value), item=output.item, files=files)
        else:
            raise InstanceFailed(f"frame of kind {kind}")

    def _take_of_instance(self, kind: int, payload: bytes) -> None:
        if kind == frames.READY:
            self.ready = True
            self._listener.ready(slots=_ready(payload).slots)
        elif kind == frames.SETUP_FAILED:
            self._listener.setup_failed(_failed(payload).error)
        elif kind == frames.HEALTHY:
            self._listener.health(_problem(payload).error)
        elif kind == frames.LOG:
            self._listener.instance_log(payload.decode("utf-8", "replace"))
        elif kind == frames.STAGE:
            stage = _stage(payload).stage
            self.stages[stage] = self._loop.time()
            self._listener.reached(stage)
        elif kind < frames.READY or kind > frames.STAGE:
            raise InstanceFailed(f"frame of kind {kind}")
