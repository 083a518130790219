"""One reader's place in a blob. Used by ``LocalBlobs``, in its threads."""

import os
import threading
from collections.abc import Callable

CHUNK_BYTES = 256 * 1024
"""What a reader of a large file gets at once, and about all that it keeps in memory."""
WHOLE_BYTES = 1024 * 1024
"""Up to here it gets everything at once: a picture takes one trip to a thread."""


class Reading:
    """Bytes [start, end) of the file that ``opened`` opens; that is called by the first read."""

    def __init__(self, opened: Callable[[], int], start: int, end: int | None):
        if start < 0 or (end is not None and end < start):
            raise ValueError(f"there are no bytes [{start}, {end})")
        self.over = False
        """Whether there is nothing more to read, and nothing to close."""
        self._opened = opened
        self._position = start
        self._limit = end
        self._end = start
        self._chunk_bytes = CHUNK_BYTES
        self._file: int | None = None
        self._turn = threading.Lock()
        """A close may come while a read that nobody waits for any more is still under way."""

    def next(self) -> bytes:
        """The next bytes; none at the end."""
        with self._turn:
            if self.over:
                return b""
            if self._file is None:
                self._file = self._open()
            left = self._end - self._position
            chunk = os.pread(self._file, min(left, self._chunk_bytes), self._position) if left > 0 else b""
            self._position += len(chunk)
            if not chunk or self._position == self._end:
                self._close()
            return chunk

    def close(self) -> None:
        with self._turn:
            self._close()

    def _open(self) -> int:
        file = self._opened()
        size_bytes = os.fstat(file).st_size
        self._end = size_bytes if self._limit is None else min(self._limit, size_bytes)
        if self._end - self._position <= WHOLE_BYTES:
            self._chunk_bytes = WHOLE_BYTES
        return file

    def _close(self) -> None:
        self.over = True
        if self._file is not None:
            os.close(self._file)
            self._file = None
