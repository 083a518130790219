"""The folder that blobs lie in, as plain blocking calls: names, ages, moving in, sweeping out.

Used by ``LocalBlobs``, in its threads. Never reads or writes what is in a blob.
"""

import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from stoker.core.errors import NotFound

READ_ONLY = 0o444

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Shelf:
    """``root/ab/abcd...``: one read-only file for each content, by its sha256."""

    def __init__(self, root: Path):
        self._root = root
        self._ages = threading.Lock()
        """Held to make a blob young, and to look at an age and remove: what was just put is never swept."""

    def path(self, sha256: str) -> Path:
        """Where such a blob is or would be. Whatever is not a sha256 is ``NotFound``: no path can escape."""
        if not _DIGEST.fullmatch(sha256):
            raise NotFound
        return self._root / sha256[:2] / sha256

    def keep_young(self, sha256: str) -> bool:
        """Whether it is here; then its age starts anew, as if it had been put now."""
        try:
            with self._ages:
                os.utime(self.path(sha256))
        except (FileNotFoundError, NotFound):
            return False
        return True

    def place(self, file: Path, sha256: str) -> None:
        """Moves a finished file in. Its content is on disk already; when this returns its name is, too."""
        path = self.path(sha256)
        file.chmod(READ_ONLY)
        os.utime(file)
        try:
            file.rename(path)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            file.rename(path)
            _sync_folder(self._root)
        _sync_folder(path.parent)

    def sweep(self, keep: set[str], *, older_than_s: float) -> int:
        """Removes what is not to be kept and is older than that; how many."""
        before = time.time() - older_than_s
        removed = 0
        for sha256, path in self._all():
            if sha256 not in keep and self._remove_older(path, before):
                removed += 1
        return removed

    def _remove_older(self, path: str, before: float) -> bool:
        with self._ages:
            try:
                if os.stat(path).st_mtime >= before:  # noqa: PTH116  a million times in a row
                    return False
                os.unlink(path)  # noqa: PTH108
            except FileNotFoundError:
                return False
        return True

    def _all(self) -> Iterator[tuple[str, str]]:
        for folder in self._root.iterdir():
            if len(folder.name) == 2:
                with os.scandir(folder) as entries:
                    yield from [
                        (entry.name, entry.path) for entry in entries if _DIGEST.fullmatch(entry.name)
                    ]


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
