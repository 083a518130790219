"""A hub's repository as a checkpoint: what is missing is downloaded, several files at once. For ``fetching``.

A file is ``NAME.part`` until all of it is there and has the digest that the hub told; so a fetch that was cut
off, by whatever, goes on where it ended, and half a file never counts as whole.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from stoker.core.checkpoints import CheckpointFile, Wanted, has_weights, pickled_among, selected
from stoker.core.errors import FetchFailed
from stoker.packaging.checkpoints.directory import no_weights
from stoker.packaging.checkpoints.hashing import Digest, feed
from stoker.packaging.checkpoints.live_fetch import LiveFetch
from stoker.ports.clock import Clock
from stoker.ports.hub import Content, Hub, HubFile, Interrupted, Listing

AT_ONCE = 4
_PAUSES_S = (0.2, 1.0, 3.0, 10.0, 30.0)
"""Before each further try; a try that brought something begins anew."""
_WRITE_BYTES = 4 * 1024 * 1024
_SPARE_BYTES = 256 * 1024 * 1024
"""What stays free on the disk: the server's own files need room, too."""


class Download:
    """One repository's state on its way into ``folder``."""

    def __init__(self, hub: Hub, clock: Clock, wanted: Wanted, listing: Listing, *, folder: Path):
        self._hub = hub
        self._clock = clock
        self._wanted = wanted
        self._commit = listing.commit
        self._folder = folder
        taken = set(selected((file.path for file in listing.files), wanted))
        if not has_weights(taken):
            pickled = pickled_among(file.path for file in listing.files)
            raise FetchFailed(no_weights(wanted.source, pickled))
        self._files = [file for file in listing.files if file.path in taken]

    async def run(self, live: LiveFetch) -> list[CheckpointFile]:
        """Every file, whole and checked. Raises ``FetchFailed``; what has come so far is kept."""
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        total = sum(file.size_bytes for file in self._files)
        await asyncio.to_thread(self._check_room)
        live.begin(f"Fetching {self._wanted.source}", total_bytes=total)
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(file: HubFile) -> CheckpointFile:
            async with turns:
                return await self._fetch(file, live)

        tasks = [asyncio.create_task(one(file)) for file in self._files]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _check_room(self) -> None:
        needed = sum(file.size_bytes - self._have_bytes(file) for file in self._files)
        free = shutil.disk_usage(self._folder).free
        if needed + _SPARE_BYTES > free:
            raise FetchFailed(
                f"{self._wanted.source} needs {needed / 1e9:.1f} GB more, and the disk of the data directory "
                f"has {free / 1e9:.1f} GB free. Make room, or move the data directory to a larger disk."
            )

    def _have_bytes(self, file: HubFile) -> int:
        for path in (self._folder / file.path, self._part(file)):
            if path.exists():
                return min(path.stat().st_size, file.size_bytes)
        return 0

    def _part(self, file: HubFile) -> Path:
        return self._folder / f"{file.path}.part"

    async def _fetch(self, file: HubFile, live: LiveFetch) -> CheckpointFile:
        whole = self._folder / file.path
        getting = _Getting(file, self._part(file), live)
        try:
            if whole.exists():
                whole.rename(getting.part)  # it was whole before, and is checked like all others
            await getting.take_up()
            await self._get(getting)
            await getting.complete(whole)
        except OSError as error:
            raise FetchFailed(
                f"{file.path} could not be written: {error.strerror or error}. What has come so far is kept."
            ) from error
        return CheckpointFile(
            path=file.path,
            size_bytes=file.size_bytes,
            sha256=getting.sha256.hexdigest(),
            mtime_ns=whole.stat().st_mtime_ns,
        )

    async def _get(self, getting: "_Getting") -> None:
        tries = 0
        while getting.have < getting.file.size_bytes:
            before, reason = getting.have, "it ended too early"
            try:
                path = getting.file.path
                async with self._hub.read(
                    self._wanted.source, self._commit, path, start=getting.have
                ) as content:
                    await getting.write(content)
            except Interrupted as error:
                reason = str(error)
            tries = 0 if getting.have > before else tries + 1
            if tries > len(_PAUSES_S):
                raise FetchFailed(
                    f"The download of {getting.file.path} broke off again and again: {reason}. What has come "
                    f"so far is kept; run the same again later."
                )
            if tries:
                await self._clock.sleep(_PAUSES_S[tries - 1])


class _Getting:
    """One file on its way: what is there of it, and its digests so far."""

    def __init__(self, file: HubFile, part: Path, live: LiveFetch):
        self.file = file
        self.part = part
        self.have = 0
        self._live = live
        self._begin()

    def _begin(self) -> None:
        self._live.advance(-self.have)
        self.have = 0
        self.sha256 = hashlib.sha256()
        self._git = hashlib.sha1(f"blob {self.file.size_bytes}\0".encode(), usedforsecurity=False)

    @property
    def _digests(self) -> list[Digest]:
        return [self.sha256, self._git] if self.file.git_sha1 is not None else [self.sha256]

    async def take_up(self) -> None:
        """What an earlier try has left counts, once it was read into the digests."""
        self.part.parent.mkdir(parents=True, exist_ok=True)
        if self.part.exists() and self.part.stat().st_size > self.file.size_bytes:
            self.part.unlink()
        self.part.touch()
        self.have = await feed(self.part, self._digests, self._live.advance)

    async def write(self, content: Content) -> None:
        """Adds what comes; an ``Interrupted`` leaves what had come before it."""
        if content.start != self.have:
            self._begin()
        with self.part.open("r+b") as out:
            out.truncate(self.have)
            out.seek(self.have)
            waiting: list[bytes] = []
            try:
                async for chunk in content.chunks:
                    waiting.append(chunk)
                    if sum(map(len, waiting)) >= _WRITE_BYTES:
                        await self._put(out.write, waiting)
            finally:
                await self._put(out.write, waiting)

    async def _put(self, write: Callable[[bytes], int], waiting: list[bytes]) -> None:
        data = b"".join(waiting)[: self.file.size_bytes - self.have]
        waiting.clear()

        def put() -> None:
            write(data)
            for digest in self._digests:
                digest.update(data)

        await asyncio.to_thread(put)
        self.have += len(data)
        self._live.advance(len(data))

    async def complete(self, whole: Path) -> None:
        """Checks it, and gives it its name. Raises ``FetchFailed`` for other bytes than were announced."""
        told = ((self.sha256, self.file.sha256), (self._git, self.file.git_sha1))
        if any(announced not in (None, digest.hexdigest()) for digest, announced in told):
            self.part.unlink()
            raise FetchFailed(
                f"{self.file.path} has other bytes than the hub announced, so it was thrown away. Run the "
                f"same again; should that not help, the hub or a proxy on the way is at fault."
            )
        await asyncio.to_thread(_sync, self.part)
        self.part.rename(whole)


def _sync(path: Path) -> None:
    path.chmod(0o444)
    with path.open("rb") as file:
        os.fsync(file.fileno())
