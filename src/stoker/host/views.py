"""A view of a folder: it looks the same, may be written to, and what is written stays in the view.

Called by ``engines`` for an instance and by ``packaging`` when it asks a model for its schema.
"""

import os
import shutil
from pathlib import Path

COPIED_BYTES = 1024 * 1024
"""What is larger is linked."""


def view(source: Path, target: Path) -> None:
    """Makes ``target`` (it may be there, empty) look like ``source``; both paths are absolute.

    Models write into their folders: caches, configuration, compiled code. What they start from is shared and
    must not change, so what is small is copied. What is larger is weights as a rule, which models only read:
    a link costs a cold start nothing, and all instances share one copy in the page cache.
    """
    _View(source, target).fill(source, target)


class _View:
    def __init__(self, source: Path, target: Path):
        self._source = source
        self._target = target

    def fill(self, folder: Path, target: Path) -> None:
        target.mkdir(mode=0o755, exist_ok=True)
        with os.scandir(folder) as entries:
            for entry in entries:
                path = target / entry.name
                if entry.is_symlink():
                    path.symlink_to(self._pointed(Path(entry.path)))
                elif entry.is_dir():
                    self.fill(Path(entry.path), path)
                elif entry.is_file() and entry.stat().st_size > COPIED_BYTES:
                    path.symlink_to(Path(entry.path).resolve())
                elif entry.is_file():
                    shutil.copy2(entry.path, path)
                    path.chmod(entry.stat().st_mode | 0o200)

    def _pointed(self, link: Path) -> Path:
        """Where a link of the view has to point: what was inside of the source is inside of the view."""
        pointed = Path(os.path.normpath(link.parent / link.readlink()))
        if pointed.is_relative_to(self._source):
            return self._target / pointed.relative_to(self._source)
        return pointed
