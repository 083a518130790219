"""Frames from the server, and the server's end.

While a synchronous worker is idle its main thread waits on the socket itself, which saves a hand-over
between threads for every run; while a run is on, a thread that is there anyway to see the server go reads
instead, so that cancels and health checks arrive. Which of the two reads is switched in the epoll set.
"""

from __future__ import annotations

import collections
import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator

from stoker_worker import frames, guard

_READ_BYTES = 1 << 18
_URGENT = (frames.CANCEL, frames.HEALTH)


class Inbox:
    """Reads frames; ends the session when the server is gone, from the moment that it is made."""

    def __init__(self, sock: socket.socket):
        self.urgent: Callable[[int, int], None] = _ignore
        """A synchronous worker's: told of cancels and health checks when they are read, in any thread."""
        self._socket = sock
        self._decoder = frames.Decoder()
        self._frames: collections.deque[frames.Frame] = collections.deque()
        self._reading = threading.Lock()
        self._epoll = select.epoll()
        self._epoll.register(sock.fileno(), select.EPOLLRDHUP)
        threading.Thread(target=self._watch, name="stoker-inbox", daemon=True).start()

    def next(self) -> frames.Frame:
        """The next frame that is not urgent; waits for it. For a synchronous worker."""
        with self._reading:
            while not self._frames:
                self._take(self._socket.recv(_READ_BYTES))
            return self._frames.popleft()

    def read_ready(self) -> list[frames.Frame]:
        """All that is there, urgent or not, in order: for an event loop that found the socket readable."""
        try:
            data = self._socket.recv(_READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        return self._decoded(data)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Within, urgent frames are read although the main thread is busy."""
        self._epoll.modify(self._socket.fileno(), select.EPOLLRDHUP | select.EPOLLIN)
        try:
            yield
        finally:
            self._epoll.modify(self._socket.fileno(), select.EPOLLRDHUP)

    def _watch(self) -> None:
        while True:
            for _, events in self._epoll.poll():
                if events & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR):
                    guard.end_session()
                self._read_beside_a_run()

    def _read_beside_a_run(self) -> None:
        if not self._reading.acquire(blocking=False):
            return  # the run has just ended: the main thread reads again
        try:
            with contextlib.suppress(BlockingIOError):
                self._take(self._socket.recv(_READ_BYTES, socket.MSG_DONTWAIT))
        finally:
            self._reading.release()

    def _decoded(self, data: bytes) -> list[frames.Frame]:
        if not data:
            guard.end_session()
        return self._decoder.feed(data)

    def _take(self, data: bytes) -> None:
        for frame in self._decoded(data):
            if frame[0] in _URGENT:
                self.urgent(frame[0], frame[1])
            else:
                self._frames.append(frame)


def _ignore(kind: int, run: int) -> None:
    """Before the model is ready, nothing is urgent."""
