"""Asynchronous with many slots: gives back its text, after a pause where one is asked for."""

import asyncio

from cog import BaseRunner, Input, concurrent


class Runner(BaseRunner):
    @concurrent(max=256)
    async def run(self, text: str = "", pause_s: float = Input(default=0, ge=0)) -> str:
        if pause_s:
            await asyncio.sleep(pause_s)
        return text
