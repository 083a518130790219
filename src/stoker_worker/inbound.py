"""The folder of a run's input files: made when there is a file, removed when the run has ended."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from stoker_worker.cloning import clone, copy

_COPIED_BYTES = 16 * 1024 * 1024


class LocalFile(str):
    """The path of an input file that the server has fetched."""


class Folder:
    def __init__(self) -> None:
        self._folder: Path | None = None
        self._open: list[Any] = []

    def place(self, original: str, name: str, *, lasting: bool = False) -> LocalFile:
        """The file under the given name in this folder.

        The original belongs to the server and others may be given it too, while models do write over their
        inputs (a picture resized in place). So it is a copy where that is cheap; a large file is linked. So
        is what is ``lasting``: behind the link a model knows again what it was given before.
        """
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="input-"))
        last = Path(name).name
        path = self._folder / ("file" if last in ("", "..") else last)
        if os.path.lexists(path):  # two inputs of one name
            path = Path(tempfile.mkdtemp(dir=self._folder)) / path.name
        if lasting:
            path.symlink_to(original)
        else:
            _copy_or_link(Path(original), path)
        return LocalFile(path)

    def open(self, path: str) -> Any:
        """The file, open for reading until the run has ended."""
        file = Path(path).open("rb")  # noqa: SIM115 - closed by close()
        self._open.append(file)
        return file

    def close(self) -> None:
        for file in self._open:
            file.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _copy_or_link(original: Path, path: Path) -> None:
    with original.open("rb") as source, path.open("xb") as target:
        if os.fstat(source.fileno()).st_size <= _COPIED_BYTES:
            copy(source.fileno(), target.fileno())
            return
        if clone(source.fileno(), target.fileno()):
            return
    path.unlink()
    try:
        path.hardlink_to(original)
    except OSError:  # another file system
        path.symlink_to(original)
