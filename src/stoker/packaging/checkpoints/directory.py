"""A folder of this machine as a checkpoint: its files are linked, not copied. Called by ``fetching``.

Hard links where the file system has them (the same one, and files that are ours): the bytes are there once,
and stay when the folder goes. Symbolic links otherwise: then the folder must stay where it is. Either way a
file that is changed in place is found by its time of change, before anybody runs with it.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from stoker.core.checkpoints import Checkpoint, CheckpointFile, Wanted, has_weights, pickled_among, selected
from stoker.core.errors import FetchFailed, Invalid
from stoker.packaging.checkpoints.hashing import feed
from stoker.packaging.checkpoints.live_fetch import LiveFetch


def check_folder(wanted: Wanted) -> None:
    """Raises ``Invalid`` where there is no such folder. Blocks."""
    folder = Path(wanted.source)
    if wanted.revision is not None:
        raise Invalid("A folder has no revisions.")
    if not folder.is_dir():
        raise Invalid(f"There is no folder {folder} on the server's machine, or the server may not see it.")
    if (folder / "blobs").is_dir() and (snapshots := _newest_first(folder / "snapshots")):
        raise Invalid(
            f"{folder} is what a hub's own tools keep of a model. The weights are in {snapshots[0]}."
        )


def _newest_first(snapshots: Path) -> list[Path]:
    """The states of a repository in a cache of a hub's own tools."""
    found = [entry for entry in snapshots.iterdir() if entry.is_dir()] if snapshots.is_dir() else []
    return sorted(found, key=lambda entry: entry.stat().st_mtime, reverse=True)


def find_same(wanted: Wanted, known: list[Checkpoint]) -> Checkpoint | None:
    """The checkpoint that was made of this folder as it is now, so that nothing need be read. Blocks."""
    found = dict(_statuses(wanted))
    for checkpoint in known:
        then = {file.path: (file.size_bytes, file.mtime_ns) for file in checkpoint.files}
        if checkpoint.wanted == wanted and then == found:
            return checkpoint
    return None


async def collect(wanted: Wanted, folder: Path, live: LiveFetch) -> list[CheckpointFile]:
    """Links the files of the wanted folder into ``folder``, which is made anew. Raises ``FetchFailed``."""
    statuses = await asyncio.to_thread(lambda: list(_statuses(wanted)))
    _check_weights(wanted, [path for path, _ in statuses])
    live.begin("Checking the weights", total_bytes=sum(size for _, (size, _) in statuses))
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    files: list[CheckpointFile] = []
    for path, (size_bytes, mtime_ns) in statuses:
        digest = hashlib.sha256()
        try:
            await feed(Path(wanted.source) / path, [digest], live.advance)
            await asyncio.to_thread(_link, Path(wanted.source) / path, folder / path)
        except OSError as error:
            raise FetchFailed(f"{path} in {wanted.source} cannot be used: {error.strerror}.") from error
        sha256 = digest.hexdigest()
        files.append(CheckpointFile(path=path, size_bytes=size_bytes, sha256=sha256, mtime_ns=mtime_ns))
    if await asyncio.to_thread(lambda: list(_statuses(wanted))) != statuses:
        raise FetchFailed(f"{wanted.source} changed while it was read. Try again when nobody writes to it.")
    return files


def link_all(place: Path, checkpoint: Checkpoint, folder: Path) -> None:
    """Links a checkpoint's files, which are at that place, into a folder. Blocks."""
    for file in checkpoint.files:
        _link(place / file.path, folder / file.path)


def _statuses(wanted: Wanted) -> Iterator[tuple[str, tuple[int, int]]]:
    """The files that make the checkpoint, with size and time of change."""
    root = Path(wanted.source)
    for path in selected(_paths(root), wanted):
        status = (root / path).stat()
        yield path, (status.st_size, status.st_mtime_ns)


def _paths(root: Path) -> Iterator[str]:
    """Every file below, links to files (a hub's own cache has only those) but no links to folders."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            if path.is_file():
                yield path.relative_to(root).as_posix()


def _check_weights(wanted: Wanted, taken: list[str]) -> None:
    if has_weights(taken):
        return
    pickled = pickled_among(_paths(Path(wanted.source)))
    raise FetchFailed(no_weights(wanted.source, pickled))


def no_weights(source: str, pickled: list[str]) -> str:
    """What to say of a place where nothing is that may be taken."""
    if not pickled:
        return f"{source} has no weights: there is no .safetensors file in it."
    return (
        f"{source} has no .safetensors files, only {pickled[0]}: loading such a file can run code that is in "
        f"it. If you trust whoever made it, add it with --allow-pickle."
    )


def _link(file: Path, link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    target = file.resolve()
    try:
        os.link(target, link)
    except OSError:  # another file system, one without links, or a file that is not ours
        link.symlink_to(target)
