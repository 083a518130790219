"""Copies the model's files to where the server takes them over, at the moment that the model gives them.

Used by ``outlet``, from any thread. The model may reuse or delete its own file afterwards.
"""

from __future__ import annotations

import io
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stoker_worker.cloning import copy, write
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
        self._folder = folder
        self._numbers = itertools.count(1)

    def take(self, sources: list[Source]) -> list[dict[str, Any]]:
        """Copies all into the outbox, or leaves none there; gives ``[{"at", "path", "name"}]``."""
        paths = [f"{self._folder}/{next(self._numbers)}" for _ in sources]
        try:
            return [_take(source, path) for source, path in zip(sources, paths, strict=True)]
        except BaseException:  # a file that is missing, no space left, a cancel
            for path in paths:
                Path(path).unlink(missing_ok=True)
            raise


def _take(source: Source, path: str) -> dict[str, Any]:
    number = path.rpartition("/")[2]
    if isinstance(source.thing, io.IOBase):
        name = _name_of(source.thing, number)
        _write(source.thing, path)
    else:
        original = os.fsdecode(source.thing)
        name = Path(original).name
        _copy(original, path)
    return {"at": source.at, "path": path, "name": _safe(name) or number}


def _copy(original: str, path: str) -> None:
    _check(original)
    source = os.open(original, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with _made(path) as target:
            copy(source, target)
    finally:
        os.close(source)


def _check(original: str) -> None:
    try:
        mode = os.stat(original).st_mode  # noqa: PTH116 - on the way of every picture
    except FileNotFoundError as error:
        raise ModelError(f"output file {original} does not exist") from error
    if stat.S_ISDIR(mode):
        raise ModelError(f"output {original} is a directory; return a file")
    if not stat.S_ISREG(mode):  # a pipe or device may never come to an end
        raise ModelError(f"output {original} is not a file")


def _write(source: Any, path: str) -> None:
    """The whole content of an open file, wherever its position is: it has often just been written."""
    if source.seekable():
        source.seek(0)
    with _made(path) as target:
        while piece := source.read(_PIECE_BYTES):
            write(target, piece.encode("utf-8") if isinstance(piece, str) else piece)


@contextmanager
def _made(path: str) -> Iterator[int]:
    """A new file of the outbox, open for writing."""
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield target
    finally:
        os.close(target)


def _name_of(source: Any, number: str) -> str:
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
