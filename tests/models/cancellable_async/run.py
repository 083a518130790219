"""Asynchronous, runs until it is cancelled; counts the clean-ups that were finished."""

import asyncio
import urllib.request

from cog import BaseRunner, Input, concurrent


class Runner(BaseRunner):
    def setup(self) -> None:
        self.cleaned = 0

    @concurrent(max=2)
    async def run(
        self,
        way: str = Input(default="plain", choices=["plain", "cleans up", "swallows", "count"]),
        limit_s: float = 30,
        begun: str = "",
    ) -> int:
        if way == "count":
            return self.cleaned
        print("started", flush=True)
        try:
            if begun:
                await asyncio.to_thread(urllib.request.urlopen, begun, b"")
            await asyncio.sleep(limit_s)
        except asyncio.CancelledError:
            if way == "cleans up":
                await asyncio.sleep(0.1)
                self.cleaned += 1
            if way != "swallows":
                raise
        return -1
