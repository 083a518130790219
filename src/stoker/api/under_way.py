"""Which idempotency keys are being answered right now, so that each is answered by one request at a time.

Held by ``Services``, used by ``idempotency``. In memory only: a server that starts answers nothing yet.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class UnderWay:
    """The keys whose requests are being answered."""

    def __init__(self) -> None:
        self._busy: dict[tuple[str, str], asyncio.Future[None]] = {}

    @asynccontextmanager
    async def alone(self, account: str, key: str) -> AsyncGenerator[None]:
        """Holds the key for one request at a time, in no order."""
        place = (account.lower(), key)
        while (before := self._busy.get(place)) is not None:
            await asyncio.wait([before])
        mine = self._busy[place] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._busy[place]
            mine.set_result(None)
