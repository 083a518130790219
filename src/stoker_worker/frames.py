"""The frames of the worker's protocol (docs/architecture/worker.md): how they are written and read.

Used by every module here that talks with the server; the server has its own copy of the numbers, and a test
holds the two together. Never touches a socket.
"""

from __future__ import annotations

import json
import struct

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


def pack_json(kind: int, run: int, fields: dict[str, object]) -> bytes:
    return pack(kind, run, to_json(fields))


def to_json(value: object) -> bytes:
    """Compact JSON; a lone surrogate (which UTF-8 cannot hold) is written as an escape."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


class Decoder:
    """Cuts a stream of bytes into frames; keeps what is not whole yet."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now."""
        rest = self._rest
        rest += data
        frames: list[Frame] = []
        start = 0
        while len(rest) - start >= _HEADER.size:
            length, kind, run = _HEADER.unpack_from(rest, start)
            end = start + _HEADER.size + length
            if len(rest) < end:
                break
            frames.append((kind, run, bytes(rest[start + _HEADER.size : end])))
            start = end
        if start:
            del rest[:start]
        return frames
