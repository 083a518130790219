"""Receives the webhooks of a soak and remembers each delivery, by prediction."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.soak.verdicts import FINAL, Hook


class Hooks:
    def __init__(self) -> None:
        self.url = ""
        self._told: defaultdict[str, list[Hook]] = defaultdict(list)
        self._ended: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def told(self, id: str) -> list[Hook]:
        return self._told[id]

    async def ended(self, id: str) -> None:
        """Returns when the end of the prediction has been told of."""
        await self._ended[id].wait()

    async def take(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        hook = Hook(time.time_ns() // 1000, request.headers["webhook-id"], body["status"])
        self._told[body["id"]].append(hook)
        if hook.status in FINAL:
            self._ended[body["id"]].set()
        return web.Response(headers={"connection": "close"})  # what is kept open would look like a leak


@asynccontextmanager
async def receiving() -> AsyncGenerator[Hooks]:
    """A receiver on a free port of the loopback interface."""
    hooks = Hooks()
    app = web.Application()
    app.router.add_post("/", hooks.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hooks.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield hooks
    finally:
        await runner.cleanup()
