"""Server-sent events on the wire (section 8.2), and the response that writes them at its reader's pace.

Who has events implements ``Source``. A response asks it for what is ready, writes that in one message, waits
until the reader has taken it, and asks again: nothing piles up for a slow reader but its own place.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stoker.api.http.readers import Reader

KEEP_ALIVE_S = 15.0
"""The Python 1 client gives up after 30 seconds without a byte."""
GREETING = b": hi\n\n"
KEEP_ALIVE = b": still here\n\n"

HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}

_text = msgspec.json.Decoder(str)


class Source(Protocol):
    """Where a stream's events come from. Each response has its own, which knows how far it has read."""

    @property
    def ended(self) -> bool:
        """Whether ``take`` has given the last event."""
        ...

    def take(self) -> bytes:
        """The events that are ready and were not taken yet, up to some size; empty is nothing new."""
        ...

    def subscribe(self, waker: Callable[[], None]) -> None:
        """``waker`` is called after each change."""
        ...

    def unsubscribe(self, waker: Callable[[], None]) -> None: ...


def event(name: bytes, id: bytes, text: str) -> bytes:
    """One event; text with line breaks of any kind becomes several data lines."""
    data = b"\ndata: ".join(line.encode() for line in lines(text))
    return b"event: %b\nid: %b\ndata: %b\n\n" % (name, id, data)


def json_event(name: bytes, id: bytes, value: bytes) -> bytes:
    """An event whose data is a JSON text: of a string its characters, else the JSON itself."""
    if value[:1] == b'"':
        # Escapes hide control characters; U+0085, U+2028 and U+2029 break lines too, for Python 1.
        if b"\\" in value or b"\xc2\x85" in value or b"\xe2\x80" in value:
            return event(name, id, _text.decode(value))
        value = value[1:-1]
    return b"event: %b\nid: %b\ndata: %b\n\n" % (name, id, value)


def lines(text: str) -> list[str]:
    """The text's lines as every client's reader sees them; joined with newlines they are the text again."""
    if text.isprintable():
        return [text]
    found = text.splitlines()
    # splitlines drops an empty last line, which is a newline at the end of the text.
    if not text or text[-1:].splitlines() == [""]:
        found.append("")
    return found


class EventStream(Response):
    """Writes a source's events until it has ended or the reader has gone."""

    def __init__(self, source: Source, headers: dict[str, str] | None = None, *, greeting: bytes = GREETING):
        super().__init__(headers=HEADERS | (headers or {}))
        del self.headers["content-length"]
        self._source = source
        self._greeting = greeting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        bell = Bell()
        reader = Reader(receive, on_gone=bell.ring)
        self._source.subscribe(bell.ring)
        try:
            await self._write(send, reader, bell)
        finally:
            self._source.unsubscribe(bell.ring)
            reader.release()

    async def _write(self, send: Send, reader: Reader, bell: "Bell") -> None:
        source, ready = self._source, self._greeting
        while not reader.gone:
            ready += source.take()
            if ready or source.ended:
                await send({"type": "http.response.body", "body": ready, "more_body": not source.ended})
            if source.ended:
                return
            if ready:
                # Others get their turn, and what comes meanwhile leaves in one message.
                await asyncio.sleep(0)
                ready = b""
            elif not await bell.rung(KEEP_ALIVE_S):
                ready = KEEP_ALIVE


class Bell:
    """Wakes one task; a ring while nobody waits is kept."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._kept = False
        self._waiter: asyncio.Future[bool] | None = None

    def ring(self) -> None:
        self._kept = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(True)

    async def rung(self, timeout_s: float) -> bool:
        """Waits for a ring; False where none came within the time."""
        if not self._kept:
            waiter = self._waiter = self._loop.create_future()
            timer = self._loop.call_later(timeout_s, _expire, waiter)
            try:
                if not await waiter:
                    return False
            finally:
                timer.cancel()
                self._waiter = None
        self._kept = False
        return True


def _expire(waiter: "asyncio.Future[bool]") -> None:
    if not waiter.done():
        waiter.set_result(False)
