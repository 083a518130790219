"""Blobs in a local directory: ``data_dir/blobs/ab/abcd...``, one read-only file for each content.

Used by everyone who keeps bytes, through ``ports.blobs``. All disk work runs in threads of its own. Errors of
the disk (full, read-only) are ``OSError`` and leave nothing behind.

What survives a power cut: a put or adopt returns after the content (fsync of the file), its name (fsync of
the folder that it was moved into) and, where that folder is new, the folder's name (fsync of ``blobs``) are
on disk. So the input of an acknowledged prediction is there as surely as the prediction; and because a name
appears only by the rename of a finished file, it never has half of its bytes.
"""

import asyncio
import errno
import os
import secrets
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from stoker.core.errors import NotFound, TooLarge
from stoker.files.incoming import Hashing, Incoming
from stoker.files.shelf import Shelf
from stoker.ports.blobs import Blob

Ts = TypeVarTuple("Ts")
R = TypeVar("R")

CHUNK_BYTES = 256 * 1024
"""What a reader gets at once, and about all that it keeps in memory."""
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
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")
        for left in self._incoming.iterdir():
            if not left.name.startswith(_PROCESS):
                left.unlink(missing_ok=True)

    async def put(self, chunks: AsyncIterator[bytes], *, limit_bytes: int | None = None) -> Blob:
        incoming = Incoming(self._temporary())
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

    async def adopt(self, path: Path) -> Blob:
        return await self._run(self._adopt, path)

    async def missing(self, digests: set[str]) -> set[str]:
        return await self._run(self._missing, digests)

    async def open(self, sha256: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        reading = _Reading(self._shelf.path(sha256), start, end)
        try:
            while chunk := await self._run(reading.next):
                yield chunk
        finally:
            self._threads.submit(reading.close)

    async def local(self, sha256: str) -> Path:
        path = self._shelf.path(sha256)
        if not await self._run(path.is_file):
            raise NotFound
        return path

    async def sweep(self, keep: set[str], *, older_than_s: float) -> int:
        return await self._run(self._sweep, keep, older_than_s)

    def _run(self, work: Callable[[*Ts], R], *args: *Ts) -> "asyncio.Future[R]":
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    # -- in threads --------------------------------------------------------------------------------

    def _finish(self, incoming: Incoming, rest: list[bytes]) -> Blob:
        blob = incoming.hash_only(rest)
        if self._shelf.keep_young(blob.sha256):
            incoming.abort()
            return blob
        incoming.seal(rest)
        self._shelf.place(incoming.path, blob.sha256)
        return blob

    def _adopt(self, path: Path) -> Blob:
        with os.fdopen(_open_plain(path), "rb", buffering=0) as file:
            blob = _hash(file)
            if self._shelf.keep_young(blob.sha256):
                path.unlink()
                return blob
            if os.fstat(file.fileno()).st_nlink == 1 and self._moved(file, path, blob):
                return blob
            file.seek(0)
            blob = self._copied(file)
        path.unlink()
        return blob

    def _moved(self, file: FileIO, path: Path, blob: Blob) -> bool:
        """False where the file is on another device, so that only a copy can be kept."""
        os.fsync(file.fileno())
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

    def _copied(self, file: FileIO) -> Blob:
        incoming = Incoming(self._temporary())
        try:
            while chunk := file.read(GATHER_BYTES):
                incoming.add([chunk])
            return self._finish(incoming, [])
        except BaseException:
            incoming.abort()
            raise

    def _missing(self, digests: set[str]) -> set[str]:
        return {digest for digest in digests if not self._shelf.keep_young(digest)}

    def _sweep(self, keep: set[str], older_than_s: float) -> int:
        before = time.time() - older_than_s
        for left in self._incoming.iterdir():
            if not left.name.startswith(_PROCESS) and left.stat().st_mtime < before:
                left.unlink(missing_ok=True)
        return self._shelf.sweep(keep, older_than_s=older_than_s)

    def _temporary(self) -> Path:
        return self._incoming / f"{_PROCESS}-{secrets.token_hex(8)}"


class _Reading:
    """One reader's place in a file; opened by the first read."""

    def __init__(self, path: Path, start: int, end: int | None):
        if start < 0 or (end is not None and end < start):
            raise ValueError(f"there are no bytes [{start}, {end})")
        self._path = path
        self._position = start
        self._end = end
        self._file: int | None = None
        self._closed = False
        self._turn = threading.Lock()
        """A close may come while a read that nobody waits for any more is still under way."""

    def next(self) -> bytes:
        """The next bytes; none at the end."""
        with self._turn:
            if self._closed:
                return b""
            if self._file is None:
                self._file = _open_blob(self._path)
            left = CHUNK_BYTES if self._end is None else min(CHUNK_BYTES, self._end - self._position)
            chunk = os.pread(self._file, left, self._position) if left > 0 else b""
            self._position += len(chunk)
            return chunk

    def close(self) -> None:
        with self._turn:
            self._closed = True
            if self._file is not None:
                os.close(self._file)
                self._file = None


def _open_blob(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound from None


def _open_plain(path: Path) -> int:
    """Opens a regular file and nothing that stands for another one or never ends."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file


def _hash(file: FileIO) -> Blob:
    hashing = Hashing()
    buffer = memoryview(bytearray(GATHER_BYTES))
    while length := file.readinto(buffer):
        hashing.add(buffer[:length])
    return hashing.blob()
