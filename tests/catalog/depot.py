"""Fetches over one folder, with a clock on which pauses take no time."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from stoker.core.checkpoints import Checkpoint, Fetch, Wanted
from stoker.hub.huggingface import HuggingFace
from stoker.packaging.checkpoints.fetching import Fetches
from stoker.packaging.checkpoints.shelf import Shelf
from tests.catalog import weights
from tests.contract.platform import FakeClock


class Depot:
    def __init__(self, folder: Path, *, hub_url: str, token: str | None):
        self.folder = folder
        self.shelf = Shelf(folder)
        self.hub = HuggingFace(hub_url, token)
        self.fetches = Fetches(shelf=self.shelf, hub=self.hub, clock=FakeClock())

    async def fetch(self, source: str | Path, **wanted: object) -> Fetch:
        """A fetch, when it is over."""
        started = await self.fetches.start(Wanted(source=str(source), **wanted))  # type: ignore[arg-type]
        live = self.fetches.get(started.id)
        assert live is not None
        return await weights.over(live)

    async def got(self, source: str | Path, **wanted: object) -> Checkpoint:
        """The checkpoint that came of it."""
        fetch = await self.fetch(source, **wanted)
        assert fetch.checkpoint is not None, fetch.error
        found = await self.shelf.get(fetch.checkpoint)
        assert found is not None
        return found

    async def refused(self, source: str | Path, **wanted: object) -> str:
        """Why nothing came of it; and that nothing did."""
        before = await self.shelf.all()
        fetch = await self.fetch(source, **wanted)
        assert fetch.error is not None
        assert await self.shelf.all() == before
        return fetch.error


def play(
    folder: Path,
    story: Callable[[Depot], Awaitable[None]],
    *,
    hub_url: str = "http://127.0.0.1:9",
    token: str | None = None,
) -> None:
    """Runs the story in an event loop with a depot over the folder, which may have been used before."""

    async def whole() -> None:
        depot = Depot(folder, hub_url=hub_url, token=token)
        try:
            await story(depot)
        finally:
            await depot.fetches.close()
            await depot.hub.close()

    asyncio.run(whole())
