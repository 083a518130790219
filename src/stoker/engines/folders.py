"""The directories of an instance under ``instances/<id>`` of the data directory: made and removed here.

    src     the working directory: the instance's own view of the version's source
    tmp     TMPDIR
    home    HOME
    outbox  where the worker puts output files

Called by ``process`` in a thread.
"""

import os
import shutil
from pathlib import Path

import msgspec

_COPIED_BYTES = 1024 * 1024


class Folders(msgspec.Struct, frozen=True):
    root: Path

    @property
    def src(self) -> Path:
        return self.root / "src"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    def make(self, source: Path) -> None:
        """Makes them all, with the view of the source in ``src``."""
        for folder in (self.tmp, self.home, self.outbox):
            folder.mkdir(parents=True)
        _view(source, self.src)

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def _view(source: Path, target: Path) -> None:
    """A directory that looks like the source and may be written to.

    Models write into their folder: caches, configuration, compiled code. The version's tree is shared and
    must not change, so what is small is copied. What is larger is weights as a rule, which models only read:
    a link costs a cold start nothing, and all instances share one copy in the page cache.
    """
    target.mkdir(mode=0o755)
    with os.scandir(source) as entries:
        for entry in entries:
            path = target / entry.name
            if entry.is_dir():
                _view(Path(entry.path), path)
            elif entry.is_file() and entry.stat().st_size > _COPIED_BYTES:
                path.symlink_to(Path(entry.path).resolve())
            elif entry.is_file():
                shutil.copy2(entry.path, path)
                path.chmod(entry.stat().st_mode | 0o200)
