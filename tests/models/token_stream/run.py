"""Asynchronous with many slots: streams words, giving way to the other runs after each."""

import asyncio

from cog import AsyncConcatenateIterator, BaseRunner, Input, concurrent, streaming


class Runner(BaseRunner):
    @streaming
    @concurrent(max=64)
    async def run(
        self, count: int = Input(default=5, ge=0), pause_s: float = Input(default=0, ge=0)
    ) -> AsyncConcatenateIterator[str]:
        for number in range(count):
            yield f"word{number} "
            await asyncio.sleep(pause_s)
