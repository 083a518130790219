"""Copies the model's files to where the server takes them over, at the moment that the model gives them.

Used by ``outlet``, from any thread. The model may reuse or delete its own file afterwards.
"""

from __future__ import annotations

import io
import itertools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stoker_worker.cloning import clone
from stoker_worker.errors import ModelError

_PIECE_BYTES = 1 << 20
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Source:
    """A file in an output: where its URL belongs, and what it is."""

    at: list[Any]
    thing: Any
    """A path, or an open file."""


class Outbox:
    def __init__(self, folder: str):
        self._folder = Path(folder)
        self._numbers = itertools.count(1)

    def take(self, sources: list[Source]) -> list[dict[str, Any]]:
        """Copies each into the outbox; gives ``[{"at", "path", "name"}]``."""
        return [self._take(source) for source in sources]

    def _take(self, source: Source) -> dict[str, Any]:
        number = next(self._numbers)
        path = self._folder / str(number)
        if isinstance(source.thing, io.IOBase):
            name = _name_of(source.thing, number)
            _write(source.thing, path)
        else:
            original = Path(os.fsdecode(source.thing))
            name = original.name
            _copy(original, path)
        return {"at": source.at, "path": str(path), "name": _safe(name) or str(number)}


def _copy(original: Path, path: Path) -> None:
    if original.is_dir():
        raise ModelError(f"output {original} is a directory; return a file")
    if original.exists() and not original.is_file():  # a pipe or device may never come to an end
        raise ModelError(f"output {original} is not a file")
    try:
        source = original.open("rb")
    except FileNotFoundError as error:
        raise ModelError(f"output file {original} does not exist") from error
    with source, path.open("xb") as target:
        if not clone(source, target):
            shutil.copyfileobj(source, target, _PIECE_BYTES)


def _write(source: Any, path: Path) -> None:
    """The whole content of an open file, wherever its position is: it has often just been written."""
    if source.seekable():
        source.seek(0)
    with path.open("xb") as target:
        while piece := source.read(_PIECE_BYTES):
            target.write(piece.encode("utf-8") if isinstance(piece, str) else piece)


def _name_of(source: Any, number: int) -> str:
    """Its own name where it has one, else a number with an ending that says whether it is text."""
    name = getattr(source, "name", None)
    if isinstance(name, (str, bytes)) and name:
        return Path(os.fsdecode(name)).name
    return f"{number}.txt" if isinstance(source, io.TextIOBase) else f"{number}.bin"


def _safe(name: str) -> str:
    """A name that UTF-8 can hold and that is short enough for every file system, with its ending kept."""
    name = name.encode("utf-8", "replace").decode("utf-8")
    octets = name.encode()
    if len(octets) <= _LONGEST_NAME:
        return name
    ending = Path(name).suffix
    room = max(0, _LONGEST_NAME - len(ending.encode()) - 1)
    return octets[:room].decode("utf-8", "ignore") + "~" + ending[:_LONGEST_NAME]
