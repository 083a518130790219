"""An asynchronous function as a model, with slots from cog.yaml."""

import asyncio


async def greet(name: str = "world") -> str:
    await asyncio.sleep(0)
    return f"hello {name}"
