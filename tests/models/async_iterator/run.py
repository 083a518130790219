"""An asynchronous iterator with pauses: each item must be there before the next is made."""

import asyncio
from typing import AsyncIterator

from cog import BaseRunner, streaming


class Runner(BaseRunner):
    async def setup(self) -> None:
        self.loop = asyncio.get_running_loop()

    @streaming
    async def run(self, count: int = 3, pause_s: float = 0.01) -> AsyncIterator[str]:
        assert asyncio.get_running_loop() is self.loop
        for number in range(count):
            yield f"item {number}"
            await asyncio.sleep(pause_s)
