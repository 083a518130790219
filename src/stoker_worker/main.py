"""A worker's life: limits, load, set up, serve. Entered by the bootstrap; ends with the process.

Everything that the worker needs of the standard library is imported before the model's folder is on
``sys.path``, so that a file of the model named like a standard module breaks nothing here.
"""

from __future__ import annotations

import faulthandler
import os
import socket
from typing import Protocol

from stoker_worker import config as configuration
from stoker_worker import failure, frames, guard, late, scope, streams
from stoker_worker import model as models
from stoker_worker.config import Config
from stoker_worker.inbox import Inbox
from stoker_worker.outbox import Outbox
from stoker_worker.outlet import Outlet
from stoker_worker.synchronous import Synchronous

_MORE_SCORE = 500
"""The server that looks after all models is worth more than any of them."""


class Runner(Protocol):
    """``synchronous`` has one, ``asynchronous`` another."""

    def set_up(self) -> None: ...

    def serve(self) -> None: ...


def main() -> None:
    config = configuration.take()
    sock = socket.socket(fileno=config.socket_fd)
    sock.set_inheritable(False)
    os.register_at_fork(after_in_child=sock.close)
    guard.apply_limits(config)
    guard.die_with(config.parent)
    guard.offer(_MORE_SCORE, than=config.parent)
    guard.keep_freed_memory()
    streams.install(config.slots)
    guard.line_buffer_c_output()
    faulthandler.enable(file=2)
    scope.install()
    inbox = Inbox(sock)
    runner = _ready_runner(config, sock, inbox)
    runner.serve()
    streams.flush()


def _ready_runner(config: Config, sock: socket.socket, inbox: Inbox) -> Runner:
    """The model, loaded and set up; where that fails, the server is told and the process ends."""
    _tell_stage(sock, "imports")
    try:
        model = models.load(config.predictor, mode=config.mode, slots=config.slots)
        outlet = Outlet(Outbox(config.outbox), config.output_limit_bytes)
        if model.is_async:
            make = late.get("stoker_worker.asynchronous", "Asynchronous")
            runner: Runner = make(model, config.slots, sock, inbox, outlet)
        else:
            runner = Synchronous(model, sock, inbox, outlet)
        _tell_stage(sock, "setup")
        runner.set_up()
    except BaseException as error:  # noqa: BLE001 - the model's code, sys.exit included
        failure.log(error)
        streams.flush()
        guard.flush_c_output()
        sock.sendall(frames.pack_json(frames.SETUP_FAILED, 0, {"error": failure.words(error)}))
        os._exit(1)  # a half-loaded model may have left threads that would keep the process
    return runner


def _tell_stage(sock: socket.socket, stage: str) -> None:
    """How far the boot is, so that the server knows where its time goes."""
    sock.sendall(frames.pack_json(frames.STAGE, 0, {"stage": stage}))
