"""Tests as stories on a platform of their own: ``@story`` before an ``async def test_...(p: Platform)``."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.contract.platform import Platform, platform

WITHIN_S = 30

Story = Callable[[Platform], Awaitable[None]]
Test = Callable[[Path], None]


def story(tell: Story) -> Test:
    """Makes a test of the story, which must end within half a minute."""
    return story_with()(tell)


def story_with(*, within_s: float = WITHIN_S, **settings: Any) -> Callable[[Story], Test]:
    """The same, on a platform with these settings; one that asks for a hundred things may take longer."""

    def decorate(tell: Story) -> Test:
        async def play(folder: Path) -> None:
            async with platform(folder, **settings) as stood:
                await asyncio.wait_for(tell(stood), within_s)

        def test(tmp_path: Path) -> None:
            asyncio.run(play(tmp_path / "data"))

        test.__name__ = tell.__name__  # type: ignore[attr-defined]
        test.__doc__ = tell.__doc__
        return test

    return decorate
