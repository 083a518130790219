"""Blobs that a power cut could still take: whole files, on their way to the shelf.

Used by ``LocalBlobs``, in its threads. They lie in a folder of their own, so that what is on the shelf is
always on disk, too. Whatever a server leaves in there is looked at by the next one: after a power cut a file
system may have the name of a file and not its bytes.
"""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stoker.files.hashing import hashed
from stoker.files.shelf import READ_ONLY, Shelf


class Fresh:
    def __init__(self, folder: Path, shelf: Shelf):
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._shelf = shelf
        self._held = set[str]()
        self._taking = threading.Lock()
        """Held to look and then take, so that no file is ever put in another's place."""
        self._settling = threading.Lock()
        """Held until a blob is settled: who asks for one that others are settling waits for them."""
        for path in folder.iterdir():
            self._take_up(path)

    def path(self, sha256: str) -> Path | None:
        """Where it is, if it is here; it may be settled at any moment."""
        return self._folder / sha256 if sha256 in self._held else None

    def take(self, path: Path, sha256: str) -> bool:
        """Moves a file in; removes it where its content is here. False for one that is on another device."""
        with self._taking:
            if sha256 in self._held:
                path.unlink()
                return True
            path.chmod(READ_ONLY)
            try:
                path.rename(self._folder / sha256)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    return False
                raise
            self._held.add(sha256)
        return True

    def settle(self, sha256: str) -> None:
        """Moves it to the shelf, if it is here; then it survives a power cut."""
        if sha256 not in self._held:
            return
        with self._settling:
            if sha256 in self._held:
                path = self._folder / sha256
                with _opened(path) as file:
                    os.fsync(file)
                self._shelf.place(path, sha256)
                self._held.discard(sha256)

    def settle_all(self) -> None:
        for sha256 in tuple(self._held):
            self.settle(sha256)

    def _take_up(self, path: Path) -> None:
        with _opened(path) as file:
            whole = hashed(file).sha256 == path.name
        if whole:
            self._held.add(path.name)
        else:
            path.unlink()


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)
