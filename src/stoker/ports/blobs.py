"""Bytes under their sha256: what people sent, what models made, what versions are made of."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import msgspec


class Blob(msgspec.Struct, frozen=True):
    sha256: str
    md5: str | None
    """Only of what was put: it is for the Files API, and takes twice as long as the sha256."""
    size_bytes: int


class Blobs(Protocol):
    """Every put is atomic: a blob is there whole or not at all, and putting it twice is harmless.

    A put or adopt returns when the blob would survive a power cut, unless it was asked for less. A disk
    that fails is an ``OSError``, after which nothing of the call is left. Whatever is not a sha256 (64 hex
    digits) is a blob that is not here.
    """

    async def put(self, chunks: AsyncIterator[bytes], *, limit_bytes: int | None = None) -> Blob:
        """Streams in; raises ``TooLarge`` past the limit and keeps nothing."""
        ...

    async def adopt(self, path: Path, *, synced: bool = True) -> Blob:
        """Takes over a local regular file (moved, not copied, where it can be); where it fails, leaves it.

        Nobody may be writing to the file any more. What is not ``synced`` survives the death of the server,
        and a power cut after the next ``sync``; one before that may take it away, but leaves no part of it.
        """
        ...

    async def sync(self) -> None:
        """All that was adopted so far survives a power cut, too."""
        ...

    async def missing(self, digests: set[str]) -> set[str]:
        """Those of the given sha256 that are not here. The others are as young as if just put.

        So a caller who is told that it need not send a blob has the sweep's whole grace to refer to it.
        """
        ...

    def open(self, sha256: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes [start, end) in chunks, as far as there are any; raises ``NotFound`` with the first one."""
        ...

    async def local(self, sha256: str) -> Path:
        """A read-only path on this machine with these bytes; raises ``NotFound``."""
        ...

    async def sweep(self, keep: set[str], *, older_than_s: float) -> int:
        """Removes every blob that is not to be kept and was last put longer ago than that; how many."""
        ...
