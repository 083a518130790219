"""The server's side of the worker's frames (docs/architecture/worker.md): numbers, writing and cutting.

Used by ``instance``. The worker has its own copy, since the two share no code; a test holds them together.
"""

import struct

from stoker.core.errors import InstanceFailed

PREDICT = 1
CANCEL = 2
HEALTH = 3
SHUTDOWN = 4
READY = 16
SETUP_FAILED = 17
LOG = 18
OUTPUT = 19
ITEM = 20
OUTPUT_FILES = 21
METRIC = 22
DONE = 23
HEALTHY = 24
STAGE = 25

_HEADER = struct.Struct(">IBI")

Frame = tuple[int, int, bytes]
"""Kind, run number, payload."""


def pack(kind: int, run: int = 0, payload: bytes = b"") -> bytes:
    return _HEADER.pack(len(payload), kind, run) + payload


class Decoder:
    """Cuts a stream of bytes into frames. A frame longer than the limit raises ``InstanceFailed``."""

    def __init__(self, limit_bytes: int):
        self._limit_bytes = limit_bytes
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now; what is left over is kept for the next call."""
        if not self._rest:
            frames, end = self._cut(data)
            self._rest += data[end:]
            return frames
        self._rest += data
        if len(self._rest) < self._wanted():
            return []
        frames, end = self._cut(bytes(self._rest))
        del self._rest[:end]
        return frames

    def _wanted(self) -> int:
        """How many bytes the frame has that is not whole, as far as it can be known."""
        if len(self._rest) < _HEADER.size:
            return _HEADER.size
        return _HEADER.size + self._length(_HEADER.unpack_from(self._rest)[0])

    def _cut(self, data: bytes) -> tuple[list[Frame], int]:
        frames: list[Frame] = []
        start, size, unpack = 0, len(data), _HEADER.unpack_from
        while size - start >= _HEADER.size:
            length, kind, run = unpack(data, start)
            body = start + _HEADER.size
            end = body + self._length(length)
            if end > size:
                break
            frames.append((kind, run, data[body:end]))
            start = end
        return frames, start

    def _length(self, length: int) -> int:
        if length > self._limit_bytes:
            raise InstanceFailed(f"the model process sent {length} bytes at once")
        return length
