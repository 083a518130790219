"""Yards to build in; packages are fetched once for all of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from stoker.packaging.machine import Machine
from tests.packaging.yard import Yard
from tests.wheels import make_wheel

Play = Callable[..., None]
Story = Callable[[Yard], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path, uv_cache: Path) -> Play:
    """``play(story)``: runs the story in an event loop with a yard of its own, which ends with it."""

    def run(story: Story, *, machine: Machine | None = None) -> None:
        async def whole() -> None:
            async with _yard(tmp_path / "data", uv_cache, machine) as yard:
                await story(yard)

        asyncio.run(whole())

    return run


@contextlib.asynccontextmanager
async def _yard(folder: Path, cache: Path, machine: Machine | None) -> AsyncIterator[Yard]:
    yard = await Yard.open(folder, cache=cache, machine=machine)
    try:
        yield yard
    finally:
        await yard.close()


@pytest.fixture(scope="session")
def wheel() -> tuple[str, bytes]:
    """A wheel with one module, ``tiny_part``: its file name and content."""
    return make_wheel("tiny_part", "VALUE = 1\n")
