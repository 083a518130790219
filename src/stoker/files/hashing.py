"""Digests of bytes as they pass, and of files. Used by the other modules here, in threads."""

import hashlib
import os

from stoker.ports.blobs import Blob

PIECE_BYTES = 256 * 1024
"""Stays in the processor's cache on its way from the file to the digest."""


class Hashing:
    """sha256 and, where it is wanted, md5 of the same bytes, and how many there were."""

    def __init__(self, *, md5: bool) -> None:
        self._sha256 = hashlib.sha256(usedforsecurity=False)
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self._size_bytes = 0

    def add(self, data: bytes | memoryview) -> None:
        self._sha256.update(data)
        if self._md5 is not None:
            self._md5.update(data)
        self._size_bytes += len(data)

    def blob(self) -> Blob:
        md5 = None if self._md5 is None else self._md5.hexdigest()
        return Blob(self._sha256.hexdigest(), md5, self._size_bytes)


def hashed(file: int) -> Blob:
    """What an open file has, from its position to its end; without md5."""
    hashing = Hashing(md5=False)
    buffer = memoryview(bytearray(PIECE_BYTES))
    while length := os.readv(file, [buffer]):
        hashing.add(buffer[:length])
    return hashing.blob()
