"""A blob that is still coming in: a temporary file, and its digests as far as it has come.

Used by ``LocalBlobs``, in its threads. An incoming file is finished or aborted, never left.
"""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from stoker.files.hashing import Hashing
from stoker.ports.blobs import Blob


class Incoming:
    """Opens its file with the first write; a small content that is known already never gets one."""

    def __init__(self, path: Path, *, md5: bool):
        self.path = path
        self._file: int | None = None
        self._ended = False
        self._hashing = Hashing(md5=md5)
        self._turn = threading.Lock()
        """An abort may come while a write that nobody waits for any more is still under way."""

    def add(self, chunks: Iterable[bytes]) -> None:
        """Writes and hashes more."""
        with self._turn:
            if self._ended:
                return
            data = b"".join(chunks)
            self._hashing.add(data)
            self._write(data)

    def hash_only(self, chunks: Iterable[bytes]) -> Blob:
        """What it would be with these as its last bytes, which are not written yet."""
        for chunk in chunks:
            self._hashing.add(chunk)
        return self._hashing.blob()

    def seal(self, chunks: Iterable[bytes]) -> None:
        """Writes what ``hash_only`` has seen; then all of it is on disk."""
        with self._turn:
            self._write(b"".join(chunks))
            assert self._file is not None
            os.fsync(self._file)
            self._close()

    def abort(self) -> None:
        """Nothing of it is left, unless it was moved away."""
        with self._turn:
            self._close()
            self.path.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _close(self) -> None:
        self._ended = True
        if self._file is not None:
            os.close(self._file)
            self._file = None
