"""How an asynchronous worker's frames leave: one write for each turn of its event loop.

Used by ``asynchronous``; frames may be sent from any thread. Whoever has made more waiting than the server
takes writes it out himself, and waits, so that memory does not grow: a model that yields does so by
awaiting ``drained``, one that only prints is held up in its ``print``.
"""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time

from stoker_worker import guard

_MOST_WAITING_BYTES = 1 << 20
_OVERDUE_S = 0.001


class LoopChannel:
    """Made in the loop's thread."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop):
        self._socket = sock
        self._loop = loop
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._since_s = 0.0
        self._backlog = memoryview(b"")
        self._drained: asyncio.Future[None] | None = None

    def send(self, frame: bytes) -> None:
        """Leaves at the end of this turn of the loop."""
        with self._lock:
            first = not self._waiting
            self._waiting.append(frame)
            self._waiting_bytes += len(frame)
            if self._waiting_bytes > _MOST_WAITING_BYTES:
                self._write(wait=True)
        if first:
            self._since_s = time.monotonic()
            if threading.get_ident() == self._thread:
                self._loop.call_soon(self.flush)
            else:
                self._loop.call_soon_threadsafe(self.flush)

    @property
    def is_overdue(self) -> bool:
        """Whether frames have waited long because nothing let the loop turn."""
        return bool(self._waiting) and time.monotonic() - self._since_s >= _OVERDUE_S

    @property
    def is_full(self) -> bool:
        """Whether the server has not yet taken what was written."""
        return len(self._backlog) > 0

    async def drained(self) -> None:
        """Waits until the server has taken what was written."""
        while self._backlog:
            if self._drained is None:
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)

    def flush(self) -> None:
        """Writes what waits, as far as the server takes it; the rest follows. In the loop's thread."""
        with self._lock:
            self._write(wait=False)
        if self._backlog:
            self._loop.add_writer(self._socket.fileno(), self._write_more)

    def _write(self, *, wait: bool) -> None:
        """Puts all that waits into the backlog and that into the socket; ``wait`` keeps the backlog short."""
        if self._waiting:
            parts = [self._backlog, *self._waiting] if self._backlog else self._waiting
            self._backlog = memoryview(b"".join(parts))
            self._waiting, self._waiting_bytes = [], 0
        guard.end_if_forked()
        while self._backlog:
            try:
                self._backlog = self._backlog[self._socket.send(self._backlog, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                if not wait or len(self._backlog) <= _MOST_WAITING_BYTES:
                    return
                poller = select.poll()
                poller.register(self._socket.fileno(), select.POLLOUT)
                poller.poll()

    def _write_more(self) -> None:
        self.flush()
        if self._backlog:
            return
        self._loop.remove_writer(self._socket.fileno())
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None
