"""The clients of a soak: each asks for one prediction and hears of its end, whatever is killed meanwhile.

A client that loses its connection waits until the server is up and goes on: it repeats its create with the
same ``Idempotency-Key``, which must find what the first attempt made, and its stream with the last id.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp

from tests.servers import TOKEN
from tests.soak.hooks import Hooks
from tests.soak.plan import Act
from tests.soak.verdicts import FINAL, Json, Told

HEADERS = {"authorization": f"Bearer {TOKEN}"}
TIMES = aiohttp.ClientTimeout(total=None, sock_read=90)
POLL_S = 0.5
LOST = (aiohttp.ClientError, TimeoutError)

Answer = TypeVar("Answer")


class Refused(AssertionError):
    """An answer that none of these requests may get."""


class Callers:
    """``up`` is set while the server is; the base URL stays the same over restarts."""

    def __init__(self, base_url: str, *, versions: dict[str, str], hooks: Hooks, up: asyncio.Event, run: str):
        self.up = up
        self._base_url = base_url
        self._versions = versions
        self._hooks = hooks
        self._run = run
        self._session = aiohttp.ClientSession(
            base_url, headers=HEADERS, timeout=TIMES, connector=aiohttp.TCPConnector(limit=0)
        )

    async def close(self) -> None:
        await self._session.close()

    async def hang_up(self) -> None:
        """Ends the connections that are kept alive."""
        await self._session.close()
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(
            self._base_url, headers=HEADERS, timeout=TIMES, connector=connector
        )

    async def get(self, path: str) -> Json:
        return await self._ask("GET", path)

    async def patch(self, path: str, body: Json) -> Json:
        return await self._ask("PATCH", path, json=body)

    async def carry_out(self, told: Told) -> None:
        """All of one prediction, from its create to its end; notes in ``told`` what it hears."""
        act = told.act
        first = await self._create(act, waits=act.asks == "wait")
        told.id = first["id"]
        if act.cancel is not None:
            await self._cancel(told)
        elif act.asks == "hook":
            await self._hooks.ended(told.id)
        elif act.asks == "stream":
            await self._follow(told, first["urls"]["stream"])
        elif act.asks == "wait":
            while first["status"] not in FINAL:
                first = await self._create(act, waits=True)
        told.final = await self._until(told.id, lambda seen: seen["status"] in FINAL)
        told.hooks = self._hooks.told(told.id)
        if act.kind == "file" and told.final["status"] == "succeeded":
            told.content = await self._retried(lambda: self._text(told.final["output"]))

    async def _create(self, act: Act, *, waits: bool) -> Json:
        body: Json = {"version": self._versions[act.name], "input": act.input}
        headers = {"idempotency-key": f"{self._run}-{act.number}"}
        if act.asks == "hook":
            body |= {"webhook": self._hooks.url, "webhook_events_filter": ["start", "completed"]}
        if act.cancel == "deadline":
            headers |= {"cancel-after": "5s"}
        if waits:
            headers |= {"prefer": "wait=60"}
        return await self._ask("POST", "/v1/predictions", json=body, headers=headers)

    async def _cancel(self, told: Told) -> None:
        """Where it is to run before, once it does."""
        if told.act.cancel == "running":
            mark = f"hang {told.act.text}"
            await self._until(told.id, lambda seen: seen["status"] in FINAL or mark in seen["logs"])
        if told.act.cancel != "deadline":
            told.cancelled = True
            await self._ask("POST", f"/v1/predictions/{told.id}/cancel")

    async def _until(self, id: str, holds: Callable[[Json], bool]) -> Json:
        while True:
            seen = await self._ask("GET", f"/v1/predictions/{id}")
            if holds(seen):
                return seen
            await asyncio.sleep(POLL_S)

    async def _follow(self, told: Told, url: str) -> None:
        """Reads the stream until it ends; after a break from where it was."""

        async def read() -> None:
            last = {"last-event-id": told.events[-1][0]} if told.events else {}
            async with self._session.get(url, headers={"accept": "text/event-stream"} | last) as answer:
                if answer.status == 204:
                    return
                _check(answer, await answer.text() if answer.status != 200 else "")
                await _read_events(answer, told)
                if not told.events or told.events[-1][1] != "done":
                    raise aiohttp.ClientPayloadError("the stream broke off")

        await self._retried(read)

    async def _text(self, url: str) -> str:
        async with self._session.get(url) as answer:
            text = await answer.text()
            _check(answer, text)
            return text

    async def _ask(self, method: str, path: str, **options: Any) -> Json:
        async def once() -> Json:
            async with self._session.request(method, path, **options) as answer:
                text = await answer.text()
                _check(answer, text)
                return await answer.json()

        return await self._retried(once)

    async def _retried(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        while True:
            await self.up.wait()
            try:
                return await ask()
            except LOST:
                await asyncio.sleep(0.1)  # what killed the server may not have said so yet


async def _read_events(answer: aiohttp.ClientResponse, told: Told) -> None:
    event: dict[str, str] = {}
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if not line and event:
            told.events.append((event.get("id", ""), event["event"], event.get("data", "")))
            event = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = event[name] + "\n" + value if name in event else value


def _check(answer: aiohttp.ClientResponse, text: str) -> None:
    if answer.status not in (200, 201):
        raise Refused(f"{answer.method} {answer.url}: {answer.status} {text}")
