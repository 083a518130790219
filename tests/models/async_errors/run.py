"""Raises in asynchronous code, in every way that there is."""

import asyncio
import sys

from cog import BaseRunner, CancelationException, Input


async def in_a_task() -> None:
    async def fail() -> None:
        raise LookupError("from a task")

    await asyncio.create_task(fail())


async def boom() -> None:
    raise ValueError("boom")


async def worded() -> None:
    raise RuntimeError("it was cancelled by CancelledError")


async def cancels() -> None:
    raise CancelationException


async def times_out() -> None:
    await asyncio.wait_for(asyncio.Event().wait(), 0.01)


async def leaves() -> None:
    sys.exit(3)


WAYS = {
    "value error": boom,
    "in a task": in_a_task,
    "the word cancelled": worded,
    "cancelled itself": cancels,
    "time out": times_out,
    "exit": leaves,
}


class Runner(BaseRunner):
    async def run(self, way: str = Input(choices=[*WAYS, "none"])) -> str:
        print("before the end")
        if way != "none":
            await WAYS[way]()
        return "fine"
