"""Makes the frames of a run's outputs; used by both runners."""

from __future__ import annotations

from stoker_worker import frames
from stoker_worker.errors import ModelError
from stoker_worker.outbox import Outbox
from stoker_worker.outputs import Encoded


class Outlet:
    def __init__(self, outbox: Outbox, limit_bytes: int | None):
        self._outbox = outbox
        self._limit_bytes = limit_bytes

    def frame(self, run: int, output: Encoded, *, item: bool) -> bytes:
        """The whole output, or the next element of a growing array; copies its files into the outbox."""
        text = output.text
        if self._limit_bytes is not None and len(text) > self._limit_bytes:
            raise ModelError(
                f"the output has {len(text):,} bytes of JSON; at most {self._limit_bytes:,} are taken. "
                "Return large results as files"
            )
        if not output.sources:
            return frames.pack(frames.ITEM if item else frames.OUTPUT, run, text)
        files = frames.to_json(self._outbox.take(output.sources))
        flag = b"true" if item else b"false"
        payload = b'{"value":%b,"item":%b,"files":%b}' % (text, flag, files)
        return frames.pack(frames.OUTPUT_FILES, run, payload)
