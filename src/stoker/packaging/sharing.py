"""Work that several callers want at once and that is done once: the first starts it, the last out stops it.

Used by ``environment`` and ``workspace``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
OnLine = Callable[[str], None]


class _Work(Generic[T]):
    def __init__(self) -> None:
        self.listeners: list[OnLine] = []
        self.task: asyncio.Task[T] | None = None
        self.is_ending = False

    def tell(self, line: str) -> None:
        for listener in tuple(self.listeners):
            listener(line)


class Shared(Generic[T]):
    """One per kind of work; the key names what is being made."""

    def __init__(self) -> None:
        self._running: dict[str, _Work[T]] = {}

    async def run(
        self, key: str, start: Callable[[OnLine], Awaitable[T]], on_line: OnLine = lambda _line: None
    ) -> T:
        """The result of ``start``, called once however many wait; its output goes to all of them.

        A caller that is cancelled leaves the others alone; when none is left, the work is cancelled and this
        returns only after it has cleaned up.
        """
        work = await self._join(key, start)
        assert work.task is not None
        work.listeners.append(on_line)
        try:
            return await asyncio.shield(work.task)
        except asyncio.CancelledError:
            if len(work.listeners) == 1 and not work.task.done():
                work.is_ending = True
                work.task.cancel()
                await asyncio.wait([work.task])
            raise
        finally:
            work.listeners.remove(on_line)

    async def _join(self, key: str, start: Callable[[OnLine], Awaitable[T]]) -> _Work[T]:
        """The work that is under way, else a new one; one that is being cancelled is first let end."""
        while (work := self._running.get(key)) is not None:
            if not work.is_ending or work.task is None:
                return work
            await asyncio.wait([work.task])
        work = self._running[key] = _Work[T]()
        work.task = asyncio.ensure_future(self._do(key, start, work))
        return work

    async def _do(self, key: str, start: Callable[[OnLine], Awaitable[T]], work: _Work[T]) -> T:
        try:
            return await start(work.tell)
        finally:
            del self._running[key]
