"""The real clock."""

import asyncio
import time


class SystemClock:
    """Wall time that never goes backwards, whatever the machine's clock does (implements ports.Clock)."""

    def __init__(self) -> None:
        self._last_us = 0

    def now_us(self) -> int:
        self._last_us = max(self._last_us, time.time_ns() // 1000)
        return self._last_us

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
