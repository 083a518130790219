"""The model's health check on the event loop of an asynchronous model; ``health`` has its rules."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from stoker_worker import failure
from stoker_worker.health import LATE, LIMIT_S, Check, problem, verdict


class LoopHealth:
    """Checks on the event loop; a check that is not asynchronous goes to a thread."""

    def __init__(self, check: Check, tell: Callable[[str | None], None]):
        self._check = check
        self._tell = tell
        self._running = False

    async def ask(self) -> None:
        if self._running:
            self._tell(LATE)
            return
        self._running = True
        try:
            self._tell(verdict(await asyncio.wait_for(_call(self._check), LIMIT_S)))
        except asyncio.TimeoutError:
            self._tell(LATE)
        except BaseException as error:  # noqa: BLE001 - the model's code
            failure.log(error)
            self._tell(problem(error))
        finally:
            self._running = False


async def _call(check: Check) -> Any:
    if inspect.iscoroutinefunction(check):
        return await check()
    answer = await asyncio.to_thread(check)
    return await answer if inspect.isawaitable(answer) else answer


def run_alone(answer: Awaitable[Any]) -> Any:
    """What it gives, on a loop of its own: for a check beside a synchronous model."""
    return asyncio.run(_awaited(answer))


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer
