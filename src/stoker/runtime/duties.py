"""Runs the background duties: each a ``step(now_us)`` at its own pace, none of which may stop the others."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from stoker.ports.clock import Clock

log = logging.getLogger(__name__)

Step = Callable[[int], Awaitable[None] | None]


async def every(seconds: float, step: Step, *, clock: Clock, name: str) -> None:
    """Calls ``step`` for ever; a step that fails is logged and called again at its next time."""
    while True:
        try:
            result = step(clock.now_us())
            if result is not None:
                await result
        except Exception:  # the edge of a loop: one bad step must not end the duty
            log.exception("%s failed", name)
        await clock.sleep(seconds)


async def cancel_all(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
