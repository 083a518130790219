"""Runs what turns out to be asynchronous in a synchronous worker.

That is an ``async def setup`` beside a synchronous method, and a decorator that hides its method's ``async``:
only the returned object tells. One loop for all, in the main thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

from stoker_worker.interrupt import Interrupt
from stoker_worker.sdk import cog


class Awaiting:
    def __init__(self, interrupt: Interrupt):
        self._interrupt = interrupt
        self._loop: asyncio.AbstractEventLoop | None = None

    def result(self, awaitable: Awaitable[Any]) -> Any:
        """Its result; interrupted, it is cancelled and waited for."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(_coroutine(awaitable))
        try:
            return self._interrupt.call(self._loop.run_until_complete, task)
        except cog.CancelationException:
            task.cancel()
            with contextlib.suppress(BaseException):
                self._loop.run_until_complete(task)
            raise

    def items(self, iterator: AsyncIterator[Any]) -> Iterator[Any]:
        """What it yields, each as soon as it does."""
        while True:
            try:
                item = self.result(iterator.__anext__())
            except StopAsyncIteration:
                return
            yield item


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
