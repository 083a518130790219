"""Checkpoints: models' weights, kept once in a cache of the server and shared by the versions that name them.

A checkpoint is a folder in the layout that transformers and diffusers read. It is never part of a version's
source; a version's recipe has its id, which is a digest of what is in it. Pure: which files of a folder or of
a hub's repository belong to it, and what it is called.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

FetchStatus = Literal["fetching", "succeeded", "failed"]

CHECKPOINT_VARIABLE = "STOKER_CHECKPOINT"
"""Where a model finds the folder of the checkpoint that its version names."""

SAFE = ("*.safetensors",)
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
"""Weights whose loading can run code that is in them."""
BESIDE = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken", "LICENSE*", "NOTICE*", "USE_POLICY*")
"""Configurations, tokenizers, templates and the terms: all data."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks to have fetched."""

    source: str
    """``org/name`` on the hub, or the absolute path of a folder on the server's machine."""
    revision: str | None = None
    """A branch, tag or commit of the hub's; None is its main one."""
    allow_pickle: bool = False
    """Whether weights that can run code may be taken where there are no safe ones."""
    leave_out: tuple[str, ...] = ()
    """Patterns of paths that are not wanted: other precisions, other forms of the same weights."""
    parts: dict[str, str] = {}
    """More sources, each by the folder of the checkpoint that it becomes: a pipeline's second model."""

    @property
    def is_local(self) -> bool:
        return self.source.startswith("/")


class CheckpointFile(msgspec.Struct, frozen=True, order=True, kw_only=True):
    path: str
    """Relative to the checkpoint, ``/`` between parts."""
    size_bytes: int
    sha256: str
    mtime_ns: int
    """When its content was last changed, as it was when it was checked: it must not have changed since."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    wanted: Wanted
    """What was asked for when it came: where the files are from."""
    commit: str | None = None
    """What the revision was on the hub."""
    created_us: int
    files: tuple[CheckpointFile, ...]
    made_of: tuple[str, ...] = ()
    """The checkpoints that its parts are; kept with it, as their files are the same ones."""

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


class Fetch(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint on its way."""

    id: str
    wanted: Wanted
    created_us: int
    status: FetchStatus = "fetching"
    message: str = ""
    """What it does now."""
    done_bytes: int = 0
    total_bytes: int | None = None
    checkpoint: str | None = None
    cached: bool = False
    """Whether that checkpoint was there already."""
    error: str | None = None


def checkpoint_id(files: Iterable[CheckpointFile]) -> str:
    """sha256 of what is in it: every file's path, size and digest."""
    content = [[file.path, file.size_bytes, file.sha256] for file in sorted(files)]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def is_hub_id(text: str) -> bool:
    """Whether the text has the form ``org/name``."""
    return _HUB_ID.fullmatch(text) is not None and ".." not in text


def is_commit(revision: str | None) -> bool:
    """Whether a revision names one state of a repository for ever."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def is_plain_path(path: str) -> bool:
    """Whether a path stays inside the folder that it is relative to; paths come from a hub."""
    return all(part not in ("", ".", "..") for part in path.split("/")) and not {"\0", "\\"} & set(path)


def selected(paths: Iterable[str], wanted: Wanted) -> list[str]:
    """Which of all these files make the checkpoint, in order; no weights among them where none may be taken.

    Pickled weights are taken only where they may be, and only in folders that have no safe ones.
    """
    known = sorted(path for path in paths if is_plain_path(path) and not _matches(path, wanted.leave_out))
    visible = [path for path in known if not any(part.startswith(".") for part in path.split("/"))]
    safe = [path for path in visible if _matches(_name(path), SAFE)]
    folders = {_folder(path) for path in safe}
    pickled = [path for path in visible if _matches(_name(path), PICKLED) and _folder(path) not in folders]
    beside = [path for path in visible if _matches(_name(path), BESIDE)]
    return sorted({*safe, *beside, *(pickled if wanted.allow_pickle else ())})


def has_weights(paths: Iterable[str]) -> bool:
    return any(_matches(_name(path), (*SAFE, *PICKLED)) for path in paths)


def pickled_among(paths: Iterable[str]) -> list[str]:
    """The files whose loading can run code."""
    return [path for path in paths if _matches(_name(path), PICKLED)]


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
