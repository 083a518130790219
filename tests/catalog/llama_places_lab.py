"""What ``test_llama_adapters`` asks of the places for adapters; runs in the lab."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

from identity import Digests
from llama_lab import until
from loading import load
from places import Places

WITHIN_S = 60


class Shelf(Places):
    """Places that tell what they read."""

    def __init__(self, checkpoint: str, *, most: int):
        super().__init__(load(Path(checkpoint)).model, most=most)
        self.read: list[str] = []

    def _read(self, digest: str, weights: Path) -> Any:
        self.read.append(weights.name)
        return super()._read(digest, weights)

    async def once(self, weights: str) -> str:
        """Uses it for a moment; what is said against it."""
        try:
            async with self.use(Path(weights)):
                return "nothing"
        except ValueError as error:
            return str(error)


def kept(checkpoint: str, order: list[str], *, most: int, held: str | None = None) -> list[str]:
    """What is read when adapters are used one after the other, while one is used all the time."""

    async def story(shelf: Shelf) -> list[str]:
        async with shelf.use(Path(held) if held else None):
            for weights in order:
                await shelf.once(weights)
        return shelf.read

    return _told(checkpoint, story, most=most)


def refused(checkpoint: str, weights: list[str], *, most: int) -> list[str]:
    """What is said against each."""

    async def story(shelf: Shelf) -> list[str]:
        return [await shelf.once(one) for one in weights]

    return _told(checkpoint, story, most=most)


def loaded_once(checkpoint: str, weights: str, folder: str, *, count: int) -> dict[str, int]:
    """How often an adapter is read that many ask for at the same time, each by a path of its own."""
    paths = [shutil.copy(weights, Path(folder, f"{number}.tar")) for number in range(count)]

    async def story(shelf: Shelf) -> dict[str, int]:
        both = asyncio.Barrier(count)
        seen = set()

        async def one(path: Path) -> None:
            async with shelf.use(path) as adapter:
                seen.add(adapter)
                await both.wait()  # all of them use it at once

        await asyncio.gather(*map(one, paths))
        return {"read": len(shelf.read), "adapters": len(seen)}

    return _told(checkpoint, story, most=1)


def waiting(checkpoint: str, first: str, second: str, *, cancels: bool) -> list[str]:
    """Who gets the only place, when: the first has it, the second wants it, and then the first once more.

    Where the second ``cancels``, it does so while it waits.
    """

    async def story(shelf: Shelf) -> list[str]:
        told: list[str] = []

        async def one(weights: str, name: str) -> None:
            async with shelf.use(Path(weights)):
                told.append(name)

        async with shelf.use(Path(first)):
            wants = asyncio.create_task(one(second, "second"))
            await until(lambda: shelf._freed is not None)
            again = asyncio.create_task(one(first, "first again"))
            if cancels:
                wants.cancel()
                await again
            else:
                await until(lambda: bool(shelf._line._waiters))
            told.append("first is done")
        await asyncio.gather(wants, again, return_exceptions=True)
        return told

    return _told(checkpoint, story, most=1)


def digests(folder: str) -> dict[str, bool]:
    """Whether files are told apart that only differ in content, and whether large ones are remembered."""
    first, second = Path(folder, "first"), Path(folder, "second")
    first.write_bytes(b"a" * 100)
    seen = first.stat()
    always, remembers = Digests(), Digests(remembered_bytes=100)
    before = [digests.of(first) for digests in (always, remembers)]
    second.symlink_to(first)
    linked = remembers.of(second)
    first.write_bytes(b"b" * 100)
    os.utime(first, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    after = [digests.of(first) for digests in (always, remembers)]
    os.utime(first, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    return {
        "small told apart": after[0] != before[0],
        "large remembered": after[1] == before[1] == linked,
        "large changed": remembers.of(first) == after[0],
    }


def _told(checkpoint: str, story: Any, *, most: int) -> Any:
    async def tell() -> Any:
        async with asyncio.timeout(WITHIN_S):  # what never comes must not hang the tests
            return await story(Shelf(checkpoint, most=most))

    return asyncio.run(tell())
