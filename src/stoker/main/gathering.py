"""What an answer writes in one turn of the event loop leaves the server as one piece.

Used by ``server`` as uvicorn's protocol. uvicorn writes the head of an answer before its body, and uvloop
hands each to the kernel at once: two system calls for us, and a client that is woken twice.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 * 1024
"""What may wait for the end of the turn; more is written at once, so that the writer learns when to pause."""


class GatheringProtocol(HttpToolsProtocol):
    """uvicorn's own, on such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Gathered(transport, self.loop))


class Gathered(asyncio.Transport):
    """A transport that writes at the end of the turn; what else uvicorn asks of it is the other one's."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []
        self._size_bytes = 0

    def write(self, data: bytes) -> None:  # type: ignore[override]
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)
        self._size_bytes += len(data)
        if self._size_bytes > MOST_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def _flush(self) -> None:
        pieces, self._pieces, self._size_bytes = self._pieces, [], 0
        if pieces and not self._transport.is_closing():
            self._transport.writelines(pieces)
