"""An asynchronous model for many runs at once."""

import asyncio

from cog import AsyncConcatenateIterator, BasePredictor


class Shares(BasePredictor):
    async def setup(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.running = 0
        self.most = 0
        self.all_there = asyncio.Event()

    async def predict(self, name: str, together: int) -> AsyncConcatenateIterator[str]:
        assert asyncio.get_running_loop() is self.loop
        self.running += 1
        self.most = max(self.most, self.running)
        if self.running == together:
            self.all_there.set()
        await self.all_there.wait()
        for token in range(50):
            await asyncio.sleep(0)
            yield f"{name}-{token} "
        self.running -= 1
        yield str(self.most)
