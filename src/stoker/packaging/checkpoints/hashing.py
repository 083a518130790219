"""Digests of large files that may be broken off, with word of how far they are. Used by those who collect."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

_BLOCK_BYTES = 16 * 1024 * 1024


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


async def feed(path: Path, digests: list[Digest], on_bytes: Callable[[int], None]) -> int:
    """Reads the whole file into the digests, in threads; how many bytes that was."""
    total = 0
    with await asyncio.to_thread(path.open, "rb") as file:
        while size := await asyncio.to_thread(_feed_block, file.read, digests):
            total += size
            on_bytes(size)
    return total


def _feed_block(read: Callable[[int], bytes], digests: list[Digest]) -> int:
    block = read(_BLOCK_BYTES)
    for digest in digests:
        digest.update(block)
    return len(block)
