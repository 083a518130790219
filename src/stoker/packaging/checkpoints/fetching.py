"""Fetches: brings what somebody wants onto the shelf, as tasks, and keeps their state for whoever asks.

Called by the api (``start``, ``get``) and by the composition root (``close``). They live in memory; what one
has brought so far is on the disk, and whoever asks for the same again goes on from there.
"""

import asyncio
import contextlib
import hashlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from stoker.core.checkpoints import (
    Checkpoint,
    CheckpointFile,
    Fetch,
    Wanted,
    checkpoint_id,
    is_commit,
    is_hub_id,
    is_plain_path,
)
from stoker.core.errors import BuildFailed, FetchFailed, Invalid, StokerError
from stoker.packaging.checkpoints import directory, safetensors
from stoker.packaging.checkpoints.download import Download
from stoker.packaging.checkpoints.live_fetch import LiveFetch
from stoker.packaging.checkpoints.shelf import Shelf
from stoker.packaging.tasks import Tasks
from stoker.ports.clock import Clock
from stoker.ports.hub import Hub

_log = logging.getLogger(__name__)


class Fetches:
    """One a server; its fetches are ended by ``close``."""

    def __init__(self, *, shelf: Shelf, hub: Hub, clock: Clock):
        self.shelf = shelf
        self._hub = hub
        self._clock = clock
        self._fetches: Tasks[LiveFetch] = Tasks()

    async def start(self, wanted: Wanted) -> Fetch:
        """Begins, or joins the one that brings the same. Raises ``Invalid`` for what cannot be a source."""
        self._fetches.check_open()
        await asyncio.to_thread(_check, wanted)
        for live in self._fetches.under_way():
            if live.seen.wanted == wanted:
                return live.seen
        fetch = Fetch(id=self._fetches.new_id(), wanted=wanted, created_us=self._clock.now_us())
        live = LiveFetch(fetch)
        self._fetches.begin(fetch.id, live, self._run(live))
        return fetch

    def get(self, id: str) -> LiveFetch | None:
        """A fetch of this server's lifetime: those under way, and the latest that are over."""
        return self._fetches.get(id)

    def running(self) -> list[Fetch]:
        return [live.seen for live in self._fetches.under_way()]

    async def stop(self, id: str) -> None:
        """Breaks one off, for all who wait for it; it can be gone on with. Nothing, where it is over."""
        await self._fetches.stop(id)

    async def close(self) -> None:
        """Breaks off what is under way; it can be gone on with. May be called again."""
        await self._fetches.close()

    async def _run(self, live: LiveFetch) -> None:
        """The edge of a fetch: whatever happens in it becomes its end."""
        source = live.seen.wanted.source
        try:
            checkpoint, cached = await self._fetch(live)
            _log.info("fetched %s: checkpoint %s, %d bytes", source, checkpoint.id, checkpoint.size_bytes)
            live.succeed(checkpoint.id, cached=cached)
        except asyncio.CancelledError:
            why = (
                "The server is stopping."
                if self._fetches.is_closed
                else f"The fetch of {source} was stopped."
            )
            live.fail(f"{why} Run the same again: it goes on from where it is.")
        except StokerError as error:
            live.fail(error.message)
        except Exception:  # noqa: BLE001 - the edge of a loop
            _log.exception("the fetch of %s broke", source)
            live.fail(f"{source} could not be fetched, for a reason that is in the server's log.")

    async def _fetch(self, live: LiveFetch) -> tuple[Checkpoint, bool]:
        """The checkpoint, and whether it was here already."""
        wanted = live.seen.wanted
        whole, cached = await self._fetch_one(live, msgspec.structs.replace(wanted, parts={}))
        if not wanted.parts:
            return whole, cached
        with contextlib.ExitStack() as holding:
            holding.enter_context(self.shelf.held(whole.id))
            parts = {"": whole}
            for folder, source in wanted.parts.items():
                of_part = msgspec.structs.replace(wanted, source=source, revision=None, parts={})
                parts[folder], _ = await self._fetch_one(live, of_part)
                holding.enter_context(self.shelf.held(parts[folder].id))
            return await self._compose(wanted, parts)

    async def _fetch_one(self, live: LiveFetch, wanted: Wanted) -> tuple[Checkpoint, bool]:
        live.begin(f"Looking at {wanted.source}")
        known = await self.shelf.all()
        if wanted.is_local:
            same = await asyncio.to_thread(directory.find_same, wanted, known)
        else:
            same = next((one for one in known if one.wanted == wanted and is_commit(wanted.revision)), None)
        if same is not None and await self._is_whole(same.id):
            return same, True
        return await (self._adopt(live, wanted) if wanted.is_local else self._download(live, wanted, known))

    async def _adopt(self, live: LiveFetch, wanted: Wanted) -> tuple[Checkpoint, bool]:
        with self._collecting(wanted, None) as folder:
            try:
                files = await directory.collect(wanted, folder, live)
                await asyncio.to_thread(safetensors.check, folder, [file.path for file in files])
                return await self._add(wanted, folder, files)
            finally:
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    async def _download(
        self, live: LiveFetch, wanted: Wanted, known: list[Checkpoint]
    ) -> tuple[Checkpoint, bool]:
        listing = await self._hub.list_files(wanted.source, wanted.revision)
        for one in known:
            is_same = (_choice(one.wanted), one.commit) == (_choice(wanted), listing.commit)
            if is_same and await self._is_whole(one.id):
                return one, True
        with self._collecting(wanted, listing.commit) as folder:
            files = await Download(self._hub, self._clock, wanted, listing, folder=folder).run(live)
            await asyncio.to_thread(safetensors.check, folder, [file.path for file in files])
            return await self._add(wanted, folder, files, commit=listing.commit)

    async def _compose(self, wanted: Wanted, parts: dict[str, Checkpoint]) -> tuple[Checkpoint, bool]:
        """A checkpoint of others, each in its folder; the files are theirs, linked."""
        with self._collecting(wanted, None) as folder:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            files: list[CheckpointFile] = []
            for name, part in parts.items():
                place = await self.shelf.place(part.id)
                await asyncio.to_thread(directory.link_all, place, part, folder / name)
                files += [_below(name, file) for file in part.files]
            made_of = tuple(part.id for part in parts.values())
            return await self._add(wanted, folder, files, commit=parts[""].commit, made_of=made_of)

    @contextlib.contextmanager
    def _collecting(self, wanted: Wanted, commit: str | None) -> Iterator[Path]:
        """Where its files come together, the same for the same; kept by the sweep meanwhile."""
        key = hashlib.sha256(msgspec.json.encode([wanted, commit])).hexdigest()
        with self.shelf.held(key):
            yield self.shelf.incoming / key

    async def _add(
        self,
        wanted: Wanted,
        folder: Path,
        files: list[CheckpointFile],
        *,
        commit: str | None = None,
        made_of: tuple[str, ...] = (),
    ) -> tuple[Checkpoint, bool]:
        checkpoint = Checkpoint(
            id=checkpoint_id(files),
            wanted=wanted,
            commit=commit,
            created_us=self._clock.now_us(),
            files=tuple(sorted(files)),
            made_of=made_of,
        )
        try:
            added = await self.shelf.add(checkpoint, folder)
        except OSError as error:
            raise FetchFailed(f"The weights could not be kept: {error.strerror or error}.") from error
        return checkpoint, not added

    async def _is_whole(self, id: str) -> bool:
        try:
            await self.shelf.place(id)
        except BuildFailed:
            return False
        return True


def _check(wanted: Wanted) -> None:
    """Raises ``Invalid`` unless every source may be one. Blocks."""
    for folder, source in {"": wanted.source, **wanted.parts}.items():
        one = msgspec.structs.replace(wanted, source=source, revision=None if folder else wanted.revision)
        if folder and not is_plain_path(folder):
            raise Invalid(f"{folder!r} is no folder of a checkpoint.")
        if one.is_local:
            directory.check_folder(one)
        elif not is_hub_id(source):
            raise Invalid(
                f"{source!r} is neither a model of the hub (org/name) nor the absolute path of a folder."
            )


def _choice(wanted: Wanted) -> Wanted:
    """What of a repository is wanted, whatever its state is called."""
    return msgspec.structs.replace(wanted, revision=None)


def _below(folder: str, file: CheckpointFile) -> CheckpointFile:
    return msgspec.structs.replace(file, path=f"{folder}/{file.path}") if folder else file
