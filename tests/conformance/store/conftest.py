"""The stores that must pass this suite. Another adapter joins by a line in ``ADAPTERS``."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from stoker.ports.store import Store
from stoker.store.sqlite import SqliteStore

Open = Callable[[Path], Awaitable[Store]]
Story = Callable[[Store], Awaitable[None]]
Play = Callable[[Story], None]

ADAPTERS: dict[str, Open] = {"sqlite": SqliteStore.open}
STORY_S = 60


@pytest.fixture(params=ADAPTERS)
def open_store(request: pytest.FixtureRequest) -> Open:
    """Opens a store; twice with the same place (after closing) is the same store."""
    return ADAPTERS[request.param]


@pytest.fixture
def play(open_store: Open, tmp_path: Path) -> Play:
    """Runs a story on a store; each story of a test goes on with what the one before left."""

    async def run(story: Story) -> None:
        store = await open_store(tmp_path)
        try:
            await story(store)
        finally:
            await store.close()

    return lambda story: asyncio.run(asyncio.wait_for(run(story), STORY_S))
