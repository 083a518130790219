"""What is under way as tasks, and the latest that are over, by id.

Builds and fetches are kept like this: in memory, for whoever asks how far they are.
"""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from typing import Any, Generic, Protocol, TypeVar

from stoker.core.errors import Unavailable
from stoker.core.ids import opaque_key

_KEPT = 100


class Live(Protocol):
    @property
    def is_over(self) -> bool: ...


L = TypeVar("L", bound=Live)


class Tasks(Generic[L]):
    """``close`` ends them; nothing begins afterwards."""

    def __init__(self) -> None:
        self._lives: dict[str, L] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed

    def check_open(self) -> None:
        """Raises ``Unavailable`` while stopping."""
        if self._closed:
            raise Unavailable

    def new_id(self) -> str:
        return opaque_key(os.urandom(16))

    def begin(self, id: str, live: L, work: Coroutine[Any, Any, None]) -> None:
        """Those that have long been over are forgotten for it."""
        over = [id for id, other in self._lives.items() if other.is_over]
        for old in over[: max(0, len(self._lives) - _KEPT + 1)]:
            del self._lives[old]
        self._lives[id] = live
        task = asyncio.create_task(work, name=id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def get(self, id: str) -> L | None:
        return self._lives.get(id)

    def under_way(self) -> Iterator[L]:
        return (live for live in self._lives.values() if not live.is_over)

    async def stop(self, id: str) -> None:
        """Cancels that one, and returns when nothing of it is left."""
        for task in [task for task in self._tasks if task.get_name() == id]:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """Cancels what is under way, and returns when nothing of it is left. May be called again."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
