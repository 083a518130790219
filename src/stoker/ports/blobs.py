"""Bytes under their sha256: what people sent, what models made, what versions are made of."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import msgspec


class Blob(msgspec.Struct, frozen=True):
    sha256: str
    md5: str
    size_bytes: int


class Blobs(Protocol):
    """Every put is atomic: a blob is there whole or not at all, and putting it twice is harmless."""

    async def put(self, chunks: AsyncIterator[bytes], *, limit_bytes: int | None = None) -> Blob:
        """Streams in; raises ``TooLarge`` past the limit and keeps nothing."""
        ...

    async def adopt(self, path: Path) -> Blob:
        """Takes over a local file (moved, not copied, where it can be)."""
        ...

    async def missing(self, digests: set[str]) -> set[str]:
        """Those of the given sha256 that are not here."""
        ...

    def open(self, sha256: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes [start, end) in chunks; raises ``NotFound``."""
        ...

    async def local(self, sha256: str) -> Path:
        """A read-only path on this machine with these bytes; raises ``NotFound``."""
        ...

    async def sweep(self, keep: set[str], *, older_than_s: float) -> int:
        """Removes every blob that is not to be kept and has been here longer than that; how many."""
        ...
