"""How a synchronous worker's frames leave: one write for what comes within a millisecond.

Used by ``synchronous`` and, through metrics, by any thread of the model. ``loop_channel`` is its counterpart
for asynchronous predictors.
"""

from __future__ import annotations

import socket
import threading
import time

from stoker_worker import guard
from stoker_worker.interrupt import Interrupt

_GATHER_S = 0.001


class Channel:
    def __init__(self, sock: socket.socket, interrupt: Interrupt):
        self._socket = sock
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._left_s = 0.0
        self._burst = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, frame: bytes) -> None:
        """Leaves with the next ``send`` or ``flush``, which must follow."""
        with self._lock:
            self._waiting.append(frame)

    def send(self, frame: bytes) -> None:
        """Leaves now, or within a millisecond where the last write was less than that ago."""
        paused = self._interrupt.pause()
        try:
            with self._lock:
                self._waiting.append(frame)
                if time.monotonic() - self._left_s >= _GATHER_S:
                    self._write()
                else:
                    self._write_soon()
        finally:
            self._interrupt.resume(paused)

    def flush(self) -> None:
        """All that waits leaves now."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._left_s = time.monotonic()
        if waiting:
            guard.end_if_forked()
            self._socket.sendall(b"".join(waiting))

    def _write_soon(self) -> None:
        """Wakes a thread, in case the model is silent for longer; a busy one writes before it does."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._flush_bursts, name="stoker-channel", daemon=True)
            self._thread.start()
        self._burst.set()

    def _flush_bursts(self) -> None:
        while True:
            self._burst.wait()
            self._burst.clear()
            time.sleep(_GATHER_S)
            self.flush()
