"""Bytes to put, and what is to be known of them."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from stoker.ports.blobs import Blob, Blobs

MIB = 1024 * 1024


def pattern(size_bytes: int, seed: int = 0) -> bytes:
    """Bytes in which every stretch differs from every other."""
    block = hashlib.sha256(seed.to_bytes(4, "big")).digest()
    numbers = b"".join(i.to_bytes(4, "big") for i in range(seed, seed + size_bytes // 36 + 1))
    return b"".join(numbers[i : i + 4] + block for i in range(0, len(numbers), 4))[:size_bytes]


def known(data: bytes) -> Blob:
    """What is to be known of bytes that were put."""
    return Blob(hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest(), len(data))


def taken(data: bytes) -> Blob:
    """What is to be known of bytes that were adopted."""
    return Blob(hashlib.sha256(data).hexdigest(), None, len(data))


async def chunks(data: bytes, size_bytes: int = 64 * 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size_bytes):
        yield data[start : start + size_bytes]


async def read(blobs: Blobs, sha256: str, *, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in blobs.open(sha256, start=start, end=end)])


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
