"""What a file is, by its content: the same weights come under a new path with every prediction.

``places`` asks it, from threads. It reads files and keeps nothing of them.
"""

import hashlib
import os
from collections import OrderedDict
from pathlib import Path

REMEMBERED_BYTES = 16 * 1024**2
"""From this size on a file's digest is remembered; below, reading it takes some milliseconds.

Large files come as links to one file that the server keeps. Small ones are copies, made and removed in a
moment: there another file could soon have the number, the size and even the time of one that was removed.
"""
MOST = 1024


class Digests:
    def __init__(self, *, remembered_bytes: int = REMEMBERED_BYTES):
        self._remembered_bytes = remembered_bytes
        self._known: OrderedDict[tuple[int, ...], str] = OrderedDict()

    def of(self, path: Path) -> str:
        """The sha256 of the file, links followed."""
        with path.open("rb") as content:
            found = os.fstat(content.fileno())
            key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            known = self._known.get(key)
            if known is not None:
                return known
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if found.st_size >= self._remembered_bytes:
            self._known[key] = digest
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return digest
