"""The checkpoints that are here, in ``checkpoints/ID`` of the data directory: found, placed, added, removed.

A checkpoint's folder has its ``manifest.json`` and, in ``files``, what models read. It gets its name in one
move when all of it is there and was checked. Used by ``fetching``, the workspace, the builder and the api.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from stoker.core.checkpoints import Checkpoint
from stoker.core.errors import BuildFailed
from stoker.core.ids import is_version_id
from stoker.packaging.ages import Ages

_MANIFEST = "manifest.json"
_FILES = "files"

GIVEN_UP_S = 7 * 86400.0
"""How long half a fetch is kept: whoever asks for the same again goes on where it ended."""

_decode = msgspec.json.Decoder(Checkpoint).decode


class Shelf:
    """One a server. ``incoming`` is where ``fetching`` collects what is not whole yet."""

    def __init__(self, data_dir: Path):
        self._folder = data_dir.resolve() / "checkpoints"
        self.incoming = self._folder / "incoming"
        self._ages = Ages()
        self._held = Counter[str]()

    async def get(self, id: str) -> Checkpoint | None:
        return await asyncio.to_thread(self._read, id)

    async def all(self) -> list[Checkpoint]:
        """Newest first."""
        return await asyncio.to_thread(self._all)

    async def place(self, id: str) -> Path:
        """The folder with its files, which nobody may write to; its age starts anew.

        Raises ``BuildFailed`` where it is not here, or a file of it is not what was checked.
        """
        return await asyncio.to_thread(self._place, id)

    async def add(self, checkpoint: Checkpoint, collected: Path) -> bool:
        """Takes over a folder of complete, checked files; False where it was here already, and intact."""
        return await asyncio.to_thread(self._add, checkpoint, collected)

    async def remove_unused(self, keep: set[str], *, older_than_s: float) -> int:
        """Removes what is not to be kept and nobody has asked for lately (how many), and fetches given up."""
        return await asyncio.to_thread(self._remove_unused, keep, older_than_s)

    @contextlib.contextmanager
    def held(self, id: str | None) -> Iterator[None]:
        """Within, the checkpoint (if any) is not removed, whatever its age."""
        if id is None:
            yield
            return
        self._held[id] += 1
        try:
            yield
        finally:
            self._held[id] -= 1

    def _read(self, id: str) -> Checkpoint | None:
        try:
            return _decode((self._folder / id / _MANIFEST).read_bytes()) if is_version_id(id) else None
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def _all(self) -> list[Checkpoint]:
        found = [checkpoint for name in self._names() if (checkpoint := self._read(name)) is not None]
        return sorted(found, key=lambda checkpoint: (-checkpoint.created_us, checkpoint.id))

    def _names(self) -> list[str]:
        return [entry.name for entry in self._folder.iterdir()] if self._folder.is_dir() else []

    def _place(self, id: str) -> Path:
        checkpoint = self._read(id)
        if checkpoint is None or not self._ages.renew(self._folder / id / _MANIFEST):
            raise BuildFailed(
                f"The weights of this version (checkpoint {id[:12]}) are not on this server any more. Add "
                f"them again: stoker catalog add."
            )
        if changed := self._changed(checkpoint):
            raise BuildFailed(
                f"{changed} of the weights from {checkpoint.wanted.source} was changed or removed since they "
                f"were added. Add them again: stoker catalog add with --weights."
            )
        return self._folder / id / _FILES

    def _changed(self, checkpoint: Checkpoint) -> str | None:
        """A file that is not as it was checked, by size and time: reading it all would take minutes."""
        for file in checkpoint.files:
            try:
                status = (self._folder / checkpoint.id / _FILES / file.path).stat()
            except OSError:
                return file.path
            if (status.st_size, status.st_mtime_ns) != (file.size_bytes, file.mtime_ns):
                return file.path
        return None

    def _add(self, checkpoint: Checkpoint, collected: Path) -> bool:
        folder = self._folder / checkpoint.id
        known = self._read(checkpoint.id)
        if known is not None and self._changed(known) is None:
            self._ages.renew(folder / _MANIFEST)
            shutil.rmtree(collected, ignore_errors=True)
            return False
        whole = Path(tempfile.mkdtemp(prefix="whole-", dir=self.incoming))
        try:
            collected.rename(whole / _FILES)
            _write(whole / _MANIFEST, msgspec.json.encode(checkpoint))
            _sync(whole / _FILES)
            if folder.exists():
                folder.rename(whole / "before")
            os.rename(whole, folder)  # noqa: PTH104 - one that is there must be an error, or an empty folder
        except BaseException:
            shutil.rmtree(whole, ignore_errors=True)
            raise
        shutil.rmtree(folder / "before", ignore_errors=True)
        _sync(self._folder)
        return True

    def _remove_unused(self, keep: set[str], older_than_s: float) -> int:
        if not self._folder.is_dir():
            return 0
        self.incoming.mkdir(exist_ok=True)
        given_up = [entry for entry in self.incoming.iterdir() if not self._held[entry.name]]
        for entry in given_up:
            aged = max(entry.rglob("*"), key=_changed_ns, default=entry)
            self._ages.remove(entry, aged=aged, older_than_s=GIVEN_UP_S, trash=self.incoming)
        kept = {id for id in self._names() if is_version_id(id) and (id in keep or self._held[id])}
        kept |= {part for id in kept if (found := self._read(id)) for part in found.made_of}
        unused = [id for id in self._names() if is_version_id(id) and id not in kept]
        return sum(self._remove(self._folder / id, older_than_s) for id in unused)

    def _remove(self, folder: Path, older_than_s: float) -> bool:
        aged = folder / _MANIFEST
        return self._ages.remove(folder, aged=aged, older_than_s=older_than_s, trash=self.incoming)


def _changed_ns(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.lstat().st_mtime_ns
    return 0


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
