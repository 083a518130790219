"""Which adapters are in memory: a bounded number of places, shared by all predictions of one instance.

``predict`` uses an adapter for as long as a prediction runs. An adapter is loaded once for all who want it,
and stays until another needs its place; of those not in use the one used longest ago goes first. Digests,
reading and loading happen in threads. Only the event loop changes what is known here.
"""

import asyncio
import math
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive import read_adapter
from identity import Digests
from served import Served, place_bytes, prepare, put

FILE_FACTOR = 4
"""An adapter's file may be so much larger than its place: numbers of twice the size, and some more."""


@dataclass
class _Place:
    adapter: Served
    size: int
    """How many places it takes."""
    users: int = 0


class Places:
    """``most`` is how many there are; ``always`` is what a prediction uses that names no weights."""

    def __init__(self, model: Any, *, most: int, always: Served | None = None):
        self._model = model
        self._most = most
        self._always = always
        self._place_bytes = place_bytes(model)
        self._digests = Digests()
        self._loaded: OrderedDict[str, _Place] = OrderedDict()
        """By digest, the one used last at the end."""
        self._line = asyncio.Lock()
        """Who wants something new stands here: one at a time loads, or waits for a place."""
        self._closing: set[str] = set()
        """In use, but not for whoever comes now: the first in the line might else wait for ever."""
        self._freed: asyncio.Future[None] | None = None

    @asynccontextmanager
    async def use(self, weights: Path | None) -> AsyncIterator[Served | None]:
        """The adapter of a file, which stays in memory meanwhile; ``ValueError`` where it cannot be used."""
        if weights is None:
            yield self._always
            return
        digest = await asyncio.to_thread(self._digests.of, weights)
        if self._always is not None and digest == self._always.digest:
            yield self._always
            return
        place = await self._take(digest, weights)
        try:
            yield place.adapter
        finally:
            place.users -= 1
            if self._freed is not None and not self._freed.done():
                self._freed.set_result(None)

    async def _take(self, digest: str, weights: Path) -> _Place:
        place = self._open(digest)
        if place is None:
            async with self._line:
                # Another may have loaded it while this one stood in line.
                place = self._open(digest) or await self._load(digest, weights)
                place.users += 1
        else:
            place.users += 1
        self._loaded.move_to_end(digest)
        return place

    def _open(self, digest: str) -> _Place | None:
        return None if digest in self._closing else self._loaded.get(digest)

    async def _load(self, digest: str, weights: Path) -> _Place:
        """Only whoever is first in the line does this."""
        if self._most == 0:
            raise ValueError("This model is to serve no adapters: LLAMA_ADAPTERS is 0.")
        adapter = await _whole(self._read, digest, weights)
        size = max(1, math.ceil(adapter.size_bytes / self._place_bytes))
        if size > self._most:
            raise ValueError(
                f"The adapter is too large: it takes {size} places for adapters, and this model has"
                f" {self._most} (LLAMA_ADAPTERS, or what memory allows)."
            )
        await self._wait_for_room(size)
        adapter = await _whole(put, self._model, adapter)
        place = self._loaded[digest] = _Place(adapter, size)
        return place

    def _read(self, digest: str, weights: Path) -> Served:
        most_bytes = FILE_FACTOR * self._most * self._place_bytes
        return prepare(self._model, read_adapter(weights, most_bytes=most_bytes), digest)

    async def _wait_for_room(self, size: int) -> None:
        try:
            while not self._make_room(size):
                self._freed = asyncio.get_running_loop().create_future()
                await self._freed
        finally:
            self._freed = None
            self._closing.clear()

    def _make_room(self, size: int) -> bool:
        """Whether there is room, now that what is not in use has gone as far as it must."""
        for digest, place in list(self._loaded.items()):
            if self._free >= size:
                break
            if place.users == 0:
                del self._loaded[digest]
        self._closing.clear()
        promised = self._free
        for digest, place in self._loaded.items():
            if promised >= size:
                break
            self._closing.add(digest)
            promised += place.size
        return not self._closing

    @property
    def _free(self) -> int:
        return self._most - sum(place.size for place in self._loaded.values())


def wanted() -> int:
    """How many there shall be, as ``cog.yaml`` or the operator says it."""
    given = os.environ.get("LLAMA_ADAPTERS") or "16"
    if not given.isdecimal():
        raise ValueError(f"LLAMA_ADAPTERS must be a number of 0 or more, not {given!r}.")
    return int(given)


def load_always(model: Any, weights: Path) -> Served:
    """The adapter that an instance was started with; it takes none of the places."""
    return put(model, prepare(model, read_adapter(weights), Digests().of(weights)))


async def _whole(call: Callable[..., Any], *args: Any) -> Any:
    """What a thread makes of it; a cancel waits for the thread, so that memory is not taken twice."""
    work = asyncio.ensure_future(asyncio.to_thread(call, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
