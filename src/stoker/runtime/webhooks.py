"""Delivers webhooks: ``start`` and ``completed`` from the durable outbox, the others as they happen.

Reads the store and the live logs, writes the outbox's attempts, and never changes a prediction. What a
body says is the wire shape of the api, which the composition root hands in.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from stoker.core import ids, webhooks
from stoker.core.errors import StokerError
from stoker.core.prediction import EMPTY_OBJECT, Prediction, Status
from stoker.ports.clock import Clock
from stoker.ports.store import Delivery, Store
from stoker.runtime.live import Live
from stoker.runtime.outbound import Outbound

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
AT_ONCE = 500
"""So many that the few that hang, each for ``TIMEOUT_S``, leave room; ``outbound`` bounds them by host."""
AGAIN_S = 1.0

Render = Callable[[Prediction], Coroutine[Any, Any, bytes]]


class Webhooks:
    def __init__(self, *, store: Store, outbound: Outbound, clock: Clock, render: Render, agent: str):
        self._store = store
        self._outbound = outbound
        self._clock = clock
        self._render = render
        self._agent = agent
        self._owed = asyncio.Event()
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._sent_meanwhile: set[str] = set()
        """What was sent since the outbox was last asked: its answer may be older than that."""
        self._watchers: set[asyncio.Task[None]] = set()

    def owed(self) -> None:
        """There is something new in the outbox."""
        self._owed.set()

    def watched(self, live: Live) -> None:
        """A prediction was taken: follows its log if its caller wants to hear of it."""
        if webhooks.wants(live.seen, "output") or webhooks.wants(live.seen, "logs"):
            task = asyncio.get_running_loop().create_task(self._follow(live))
            self._watchers.add(task)
            task.add_done_callback(self._watchers.discard)

    async def run(self) -> None:
        """The loop: sends what is due, then sleeps until something is owed or due."""
        while True:
            self._owed.clear()
            try:
                next_us = await self.step(self._clock.now_us())
            except Exception:  # the edge of the loop: it must outlive a store that fails
                log.exception("the outbox could not be read, trying again in %g s", AGAIN_S)
                await self._clock.sleep(AGAIN_S)
                continue
            wait_s = None if next_us is None else max(0.0, (next_us - self._clock.now_us()) / 1e6)
            try:
                await asyncio.wait_for(self._owed.wait(), wait_s)
            except TimeoutError:
                continue

    async def step(self, now_us: int) -> int | None:
        """Begins to send all that is due; when the next one will be, or None."""
        self._sent_meanwhile.clear()
        for delivery in await self._store.outbox.due(now_us, limit=AT_ONCE + len(self._sending)):
            is_known = delivery.id in self._sending or delivery.id in self._sent_meanwhile
            if not is_known and len(self._sending) < AT_ONCE:
                task = asyncio.get_running_loop().create_task(self._try(delivery))
                self._sending[delivery.id] = task
                task.add_done_callback(lambda _, id=delivery.id: self._sent(id))
        return await self._store.outbox.next_due_us(after_us=now_us)

    async def settle(self) -> None:
        """Waits for the attempts that are under way."""
        while self._sending:
            await asyncio.wait(list(self._sending.values()))

    async def close(self) -> None:
        """Breaks off; what is owed stays in the outbox."""
        tasks = [*self._sending.values(), *self._watchers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _sent(self, id: str) -> None:
        self._sending.pop(id, None)
        self._sent_meanwhile.add(id)
        self._owed.set()

    async def _try(self, delivery: Delivery) -> None:
        """One delivery's turn. Where the store fails it stays busy a while: it would come at once again."""
        try:
            await self._deliver(delivery)
        except Exception:  # the edge: it stays in the outbox
            log.exception("delivery %s could not be written down", delivery.id)
            await self._clock.sleep(AGAIN_S)

    async def _deliver(self, delivery: Delivery) -> None:
        prediction = await self._store.predictions.get(delivery.prediction)
        if prediction is None or prediction.webhook is None:
            await self._store.outbox.drop(delivery.id)
            return
        if delivery.event == "start":
            prediction = as_started(prediction)
        if await self._send(prediction, delivery.id):
            await self._store.outbox.drop(delivery.id)
            return
        attempts = delivery.attempts + 1
        delay_s = webhooks.retry_delay_s(delivery.event, attempts)
        if delay_s is None:
            log.warning("webhook %s of %s given up after %d attempts", delivery.id, prediction.id, attempts)
            await self._store.outbox.drop(delivery.id)
            return
        next_us = self._clock.now_us() + int(delay_s * 1e6)
        await self._store.outbox.retry(delivery.id, attempts=attempts, next_us=next_us)

    async def _follow(self, live: Live) -> None:
        """Sends output and logs messages while the prediction runs, each at most twice a second."""
        changed = asyncio.Event()
        live.subscribe(changed.set)
        sent = (0, 0)
        try:
            while not (live.over or live.released):
                await changed.wait()
                changed.clear()
                now = (len(live.items) if live.shows_output else 0, len(live.logs))
                if live.over or not self._is_news(live.seen, sent, now):
                    continue
                sent = now
                await self._send(live.view(), f"msg_{ids.opaque_key(secrets.token_bytes(15))}")
                await self._clock.sleep(webhooks.THROTTLE_S)
        finally:
            live.unsubscribe(changed.set)

    def _is_news(self, prediction: Prediction, sent: tuple[int, int], now: tuple[int, int]) -> bool:
        return (webhooks.wants(prediction, "output") and now[0] > sent[0]) or (
            webhooks.wants(prediction, "logs") and now[1] > sent[1]
        )

    async def _send(self, prediction: Prediction, id: str) -> bool:
        """One attempt; whether it was taken. The bytes sent are the bytes signed."""
        account = await self._store.accounts.get(prediction.account)
        if account is None or prediction.webhook is None:
            return True
        body = await self._render(prediction)
        headers = webhooks.signature_headers(
            account.webhook_secret, id=id, timestamp_s=self._clock.now_us() // 1_000_000, body=body
        )
        headers |= {"content-type": "application/json", "user-agent": self._agent}
        try:
            status = await self._outbound.post(prediction.webhook, body, headers, timeout_s=TIMEOUT_S)
        except StokerError as error:
            log.info("webhook of %s failed: %s", prediction.id, error)
            return False
        return 200 <= status < 300


def as_started(prediction: Prediction) -> Prediction:
    """The prediction as it was when it started: what a ``start`` message says, however late it is sent."""
    return msgspec.structs.replace(
        prediction,
        status=Status.PROCESSING,
        output=None,
        logs="",
        error=None,
        completed_us=None,
        metrics=EMPTY_OBJECT,
    )
