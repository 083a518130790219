"""The page cache: has the kernel read files ahead of whoever will read them soon. Called by ``engines``."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_SMALLEST_BYTES = 1 << 20
"""Smaller files cost a model no time."""
_PIECE_BYTES = 64 << 20
"""The kernel reads only so much ahead for each request; how much depends on the disk."""


def read_ahead(paths: list[Path], *, most_bytes: int) -> int:
    """Asks for the large files in these folders, or these files, largest first; how many bytes in all.

    It stops before what would be more than the most. It returns before the bytes are there, or when they
    are, as the file system likes: for a thread.
    """
    asked = 0
    for size, file in sorted(set(_files(paths)), reverse=True):
        if size >= _SMALLEST_BYTES and asked + size <= most_bytes and _ask(file, size):
            asked += size
    return asked


def _files(paths: list[Path]) -> Iterator[tuple[int, Path]]:
    """With their sizes. Files and whole folders may go while we look."""
    for path in paths:
        found = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
        for file in found if path.is_dir() else [path]:
            with contextlib.suppress(OSError):
                if file.is_file():
                    yield file.stat().st_size, file.resolve()


def _ask(file: Path, size: int) -> bool:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        for start in range(0, size, _PIECE_BYTES):
            os.posix_fadvise(descriptor, start, _PIECE_BYTES, os.POSIX_FADV_WILLNEED)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
