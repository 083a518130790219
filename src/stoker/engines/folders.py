"""The directories of an instance under ``instances/<id>`` of the data directory: made and removed here.

    src     the working directory: the instance's own view of the version's source
    tmp     TMPDIR
    home    HOME: a view of what the build's commands left in theirs
    outbox  where the worker puts output files
    weights a link to the weights that the version was trained to, if it was, under their own name

Called by ``process`` in a thread.
"""

import contextlib
import os
import shutil
from pathlib import Path

import msgspec

from stoker.host.views import view


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

    def weights(self, name: str) -> Path:
        """Where the model finds trained weights of that name."""
        return self.root / "weights" / (Path(name).name or "weights")

    def link_weights(self, weights: Path, name: str) -> None:
        """Models only read them, and they may be large: all instances share one copy."""
        link = self.weights(name)
        link.parent.mkdir()
        link.symlink_to(weights.resolve())

    def make(self, source: Path, *, home: Path | None) -> None:
        """Makes them all: views of the source and, where there is one, of the home that the build left."""
        for folder in (self.tmp, self.home, self.outbox):
            folder.mkdir(parents=True)
        view(source, self.src)
        if home is not None:
            view(home, self.home)

    def make_empty(self) -> None:
        """For a fork server, which has no model."""
        for folder in (self.src, self.tmp, self.home):
            folder.mkdir(parents=True)

    def size_bytes(self) -> int:
        """What would be free without them; what cannot be looked at does not count."""
        total = 0
        for folder, _, files in os.walk(self.root):
            for name in files:
                with contextlib.suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118
        return total

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
