"""Asynchronous with slots: what each run prints, in its tasks and threads too, is its own."""

import asyncio
import sys

from cog import BaseRunner, concurrent


class Runner(BaseRunner):
    @concurrent(max=4)
    async def run(self, name: str = "a", lines: int = 2, pause_s: float = 0.01) -> str:
        for number in range(lines):
            print(f"{name} {number}")
            await asyncio.sleep(pause_s)
        await asyncio.create_task(self.in_a_task(name))
        await asyncio.to_thread(print, f"{name} in a thread")
        print(f"{name} unterminated", end="", file=sys.stderr)
        return name

    async def in_a_task(self, name: str) -> None:
        print(f"{name} in a task")
