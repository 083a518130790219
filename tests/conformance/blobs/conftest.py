"""The blob stores that must pass this suite. Another adapter joins by a line in ``ADAPTERS``."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from stoker.files.local import LocalBlobs
from stoker.ports.blobs import Blobs

Story = Callable[[Blobs], Awaitable[None]]
Play = Callable[[Story], None]

ADAPTERS: dict[str, Callable[[Path], Blobs]] = {"local": LocalBlobs}
STORY_S = 60


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where the blobs of a test are; ``tmp_path`` is for files of its own."""
    return tmp_path / "data"


@pytest.fixture(params=ADAPTERS)
def play(request: pytest.FixtureRequest, data_dir: Path) -> Play:
    """Runs a story on blobs; each story of a test goes on with what the one before left."""

    async def run(story: Story) -> None:
        await story(ADAPTERS[request.param](data_dir))

    return lambda story: asyncio.run(asyncio.wait_for(run(story), STORY_S))
