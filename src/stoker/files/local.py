"""Blobs in a local directory: ``data_dir/blobs/ab/abcd...``, one read-only file for each content.

Used by everyone who keeps bytes, through ``ports.blobs``. What may wait for the disk runs in threads of its
own. Errors of the disk (full, read-only) are ``OSError`` and leave nothing behind.

What survives a power cut: a put or adopt returns after the content (fsync of the file), its name (fsync of
the folder that it was moved into) and, where that folder is new, the folder's name (fsync of ``blobs``) are
on disk. So the input of an acknowledged prediction is there as surely as the prediction; and because a name
appears only by the rename of a finished file, it never has half of its bytes. What is adopted unsynced waits
in ``blobs/fresh`` for all of that.
"""

import asyncio
import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from stoker.core.errors import NotFound, TooLarge
from stoker.files.fresh import Fresh
from stoker.files.hashing import hashed
from stoker.files.incoming import Incoming
from stoker.files.reading import WHOLE_BYTES, Reading
from stoker.files.shelf import Shelf
from stoker.ports.blobs import Blob

Ts = TypeVarTuple("Ts")
R = TypeVar("R")

GATHER_BYTES = 1024 * 1024
"""What is gathered before a thread writes it; a smaller content takes one trip to a thread in all."""
THREADS = 8

_PROCESS = secrets.token_hex(4)
"""Begins the names of this process's temporary files; any other is of a process that died."""


class LocalBlobs:
    """Implements ``ports.blobs.Blobs``. One process at a time may use a data directory."""

    def __init__(self, data_dir: Path):
        self._incoming = data_dir / "blobs" / "incoming"
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._shelf = Shelf(data_dir / "blobs")
        self._fresh = Fresh(data_dir / "blobs" / "fresh", self._shelf)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")
        for left in self._incoming.iterdir():
            if not left.name.startswith(_PROCESS):
                left.unlink(missing_ok=True)

    async def put(self, chunks: AsyncIterator[bytes], *, limit_bytes: int | None = None) -> Blob:
        incoming = Incoming(self._temporary(), md5=True)
        waiting: list[bytes] = []
        waiting_bytes = size_bytes = 0
        try:
            async for chunk in chunks:
                size_bytes += len(chunk)
                if limit_bytes is not None and size_bytes > limit_bytes:
                    raise TooLarge(f"The file is larger than {limit_bytes} bytes.")
                waiting.append(chunk)
                waiting_bytes += len(chunk)
                if waiting_bytes >= GATHER_BYTES:
                    full, waiting, waiting_bytes = waiting, [], 0
                    await self._run(incoming.add, full)
            return await self._run(self._finish, incoming, waiting)
        except BaseException:
            await asyncio.shield(self._run(incoming.abort))
            raise

    async def adopt(self, path: Path, *, synced: bool = True) -> Blob:
        return await self._run(self._adopt, path, synced)

    async def sync(self) -> None:
        await self._run(self._fresh.settle_all)

    async def missing(self, digests: set[str]) -> set[str]:
        return await self._run(self._missing, digests)

    async def open(self, sha256: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        reading = Reading(self._opener(sha256), start, end)
        try:
            if self._in_memory(sha256, start, end) and (chunk := reading.next()):
                yield chunk
            while not reading.over and (chunk := await self._run(reading.next)):
                yield chunk
        finally:
            if not reading.over:
                self._threads.submit(reading.close)

    async def local(self, sha256: str) -> Path:
        path = self._shelf.path(sha256)
        if not await self._run(self._on_shelf, path):
            raise NotFound
        return path

    async def sweep(self, keep: set[str], *, older_than_s: float) -> int:
        return await self._run(self._sweep, keep, older_than_s)

    def _in_memory(self, sha256: str, start: int, end: int | None) -> bool:
        """Whether it is small and was written a moment ago: read in 0.05 ms, less than a thread is away."""
        return end is not None and end - start <= WHOLE_BYTES and self._fresh.path(sha256) is not None

    def _run(self, work: Callable[[*Ts], R], *args: *Ts) -> "asyncio.Future[R]":
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    # -- in threads --------------------------------------------------------------------------------

    def _finish(self, incoming: Incoming, rest: list[bytes]) -> Blob:
        blob = incoming.hash_only(rest)
        if self._keep_young(blob.sha256):
            incoming.abort()
            return blob
        incoming.seal(rest)
        self._shelf.place(incoming.path, blob.sha256)
        return blob

    def _adopt(self, path: Path, synced: bool) -> Blob:
        file = _open_plain(path)
        try:
            blob = hashed(file)
            if self._keep_young(blob.sha256, synced=synced):
                path.unlink()
                return blob
            if os.fstat(file).st_nlink == 1 and self._moved(file, path, blob, synced=synced):
                return blob
            os.lseek(file, 0, os.SEEK_SET)
            blob = self._copied(file)
        finally:
            os.close(file)
        path.unlink()
        return blob

    def _moved(self, file: int, path: Path, blob: Blob, *, synced: bool) -> bool:
        """False where the file is on another device, so that only a copy can be kept."""
        if not synced:
            return self._fresh.take(path, blob.sha256)
        os.fsync(file)
        try:
            path.rename(own := self._temporary())
        except OSError as error:
            if error.errno == errno.EXDEV:
                return False
            raise
        try:
            self._shelf.place(own, blob.sha256)
        except BaseException:
            own.unlink(missing_ok=True)
            raise
        return True

    def _copied(self, file: int) -> Blob:
        incoming = Incoming(self._temporary(), md5=False)
        try:
            while chunk := os.read(file, GATHER_BYTES):
                incoming.add([chunk])
            return self._finish(incoming, [])
        except BaseException:
            incoming.abort()
            raise

    def _keep_young(self, sha256: str, *, synced: bool = True) -> bool:
        """Whether it is here, and on disk where that is asked for; then its age starts anew."""
        if self._fresh.path(sha256) is not None:
            if not synced:
                return True
            self._fresh.settle(sha256)
        return self._shelf.keep_young(sha256)

    def _on_shelf(self, path: Path) -> bool:
        self._fresh.settle(path.name)
        return path.is_file()

    def _opener(self, sha256: str) -> Callable[[], int]:
        """Opens the blob for reading, or raises ``NotFound``."""
        shelved = self._shelf.path(sha256)

        def opened() -> int:
            fresh = self._fresh.path(sha256)
            for path in (fresh, shelved) if fresh is not None else (shelved,):
                with contextlib.suppress(FileNotFoundError):
                    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            raise NotFound

        return opened

    def _missing(self, digests: set[str]) -> set[str]:
        return {digest for digest in digests if not self._keep_young(digest)}

    def _sweep(self, keep: set[str], older_than_s: float) -> int:
        before = time.time() - older_than_s
        for left in self._incoming.iterdir():
            if not left.name.startswith(_PROCESS) and left.stat().st_mtime < before:
                left.unlink(missing_ok=True)
        return self._shelf.sweep(keep, older_than_s=older_than_s)

    def _temporary(self) -> Path:
        return self._incoming / f"{_PROCESS}-{secrets.token_hex(8)}"


def _open_plain(path: Path) -> int:
    """Opens a regular file and nothing that stands for another one or never ends."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file
