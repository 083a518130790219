"""A source tree: which paths it may have, and putting it on the disk from blobs.

Called by the builder and the workspace. Paths come from whoever pushes, so nothing is written before all of
them were checked; a tree consists of folders and regular files that we make, so no link can lead outside.
"""

import asyncio
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from stoker.core.catalog import SourceFile
from stoker.core.errors import BuildFailed, Invalid, NotFound
from stoker.core.ids import is_version_id
from stoker.core.ignore import OWN_FOLDER
from stoker.ports.blobs import Blobs

READY_SCHEMA = f"{OWN_FOLDER}/openapi_schema.json"
"""The one file of Cog's own folder that may be pushed: a schema that is used as it is."""

_FILES_LIMIT = 100_000
_PATH_LIMIT_BYTES = 1024
_PART_LIMIT_BYTES = 255
_LINK_FROM_BYTES = 4 * 1024 * 1024


def check_files(files: Sequence[SourceFile]) -> None:
    """Raises ``Invalid`` unless the paths make a tree below one folder and the digests are digests."""
    if len(files) > _FILES_LIMIT:
        raise Invalid(f"A project may have {_FILES_LIMIT} files, and this one has {len(files)}.")
    seen: set[str] = set()
    for file in files:
        if problem := _path_problem(file.path):
            raise Invalid(f"The path {file.path!r} {problem}.")
        if file.path in seen:
            raise Invalid(f"The path {file.path!r} is there twice.")
        if not is_version_id(file.sha256) or file.size_bytes < 0:
            raise Invalid(f"The path {file.path!r} has no valid sha256 and size.")
        seen.add(file.path)
    for path in seen:
        for parent in _parents(path):
            if parent in seen:
                raise Invalid(f"The path {parent!r} is a file and a folder.")


def _path_problem(path: str) -> str | None:
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode"
    parts = path.split("/")
    if "\0" in path or "\n" in path:
        return "holds a character that no path may have"
    if path.startswith("/"):
        return "is absolute; paths are relative to the project"
    if not path or any(part in ("", ".", "..") for part in parts):
        return "must not have empty parts, '.' or '..': it could lead out of the project"
    if len(encoded) > _PATH_LIMIT_BYTES or any(len(part.encode()) > _PART_LIMIT_BYTES for part in parts):
        return "is too long"
    if parts[0] == OWN_FOLDER and path != READY_SCHEMA:
        return f"is in {OWN_FOLDER}, which is not part of a project"
    return None


def _parents(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


async def local(blobs: Blobs, sha256: str, path: str) -> Path:
    """Where a file's content is on this machine; raises ``BuildFailed`` where it is not any more."""
    try:
        return await blobs.local(sha256)
    except NotFound:
        raise BuildFailed(f"The content of {path} is gone from the server. Push the model again.") from None


async def write_tree(files: Iterable[SourceFile], blobs: Blobs, folder: Path) -> None:
    """Puts the files below the folder, which exists and is empty. Raises ``BuildFailed``."""
    placed = [(file, await local(blobs, file.sha256, file.path)) for file in files]
    await asyncio.to_thread(_write_all, placed, folder)


def _write_all(placed: list[tuple[SourceFile, Path]], folder: Path) -> None:
    for file, blob in placed:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(file, blob, target)
        except FileExistsError:
            raise BuildFailed(
                f"{file.path} has the name of another file on this machine's file system, which does not "
                f"distinguish upper and lower case."
            ) from None


def _write(file: SourceFile, blob: Path, target: Path) -> None:
    """Links what is large, copies the rest.

    A link shares the blob's content, so it must be safe from writing: only a blob that is read-only already
    is linked (its mode is the link's, too), and whoever runs a version works in a view of its own. A copy of
    something small costs nothing and cannot reach the blob at all.
    """
    status = blob.stat()
    if status.st_size != file.size_bytes:
        raise BuildFailed(
            f"{file.path} has {status.st_size} bytes, not the {file.size_bytes} that were announced."
        )
    if status.st_size >= _LINK_FROM_BYTES and not file.executable and not status.st_mode & 0o222:
        try:
            os.link(blob, target)
            return
        except FileExistsError:
            raise
        except OSError:
            pass  # Another file system, or one without links.
    with target.open("xb") as out, blob.open("rb") as content:
        shutil.copyfileobj(content, out, 1024 * 1024)
    target.chmod(0o555 if file.executable else 0o444)
