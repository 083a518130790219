"""The predictions behind one request: begun together, waited for together, canceled when nobody waits.

They are predictions like all others: the same rate limit, queue, log and price. A client that hangs up wants
no more work done for it, so what is not over then is canceled; so is what no instance takes in time.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from stoker.api.creation import Wanted
from stoker.api.endpoint import Request
from stoker.api.http.readers import Reader
from stoker.api.http.sse import KEEP_ALIVE_S, Bell
from stoker.api.openai.targets import Target
from stoker.api.runs import new
from stoker.api.services import Services
from stoker.api.wire import encode
from stoker.core.errors import PredictionCanceled, PredictionFailed, StokerError, Unavailable
from stoker.core.prediction import INTERRUPTED, Prediction, Status
from stoker.core.watched import Waker, Watched
from stoker.runtime.live import Live

LOOK_AGAIN_S = 3600.0
"""What is waited for rings the bell; this only bounds the sleep."""


async def begin(
    request: Request,
    target: Target,
    inputs: list[dict[str, Any]],
    *,
    told: bool,
    id: str | None = None,
) -> "Runs":
    """Creates a prediction for each input (which has been checked); all of them or none.

    ``told`` is whether the client hears of them before they end; ``id`` is the id of the only one.
    """
    services = request.services
    for _ in inputs[1:]:  # the first was counted with the request
        services.limits.take(request.caller.id, "create", services.clock.now_us())
    made = [await new(request, _wanted(i), target.known, target.deployment, id=id) for i in inputs]
    runs = Runs(services)
    try:
        for prediction in made:
            runs.add(services.dispatcher.submit(prediction, target.known.version, told=told))
        await asyncio.gather(*(live.accepted for live in runs.lives))
    except BaseException:
        await runs.close()
        raise
    return runs


def _wanted(input: dict[str, Any]) -> Wanted:
    raw = msgspec.Raw(encode(input))
    return Wanted(version=None, raw_input=raw, input=input, webhook=None, webhook_events=())


class Runs(Watched):
    def __init__(self, services: Services):
        super().__init__()
        self.lives: list[Live] = []
        self._dispatcher = services.dispatcher
        self._queue_s = services.settings.openai_queue_s
        self._expired = False
        self._timer = asyncio.get_running_loop().call_later(self._queue_s, self._expire)

    def add(self, live: Live) -> None:
        self.lives.append(live)

    @property
    def first(self) -> Live:
        """The one whose id stands for the request."""
        return self.lives[0]

    @property
    def problem(self) -> StokerError | None:
        """Why there will be no answer."""
        if self._expired:
            return Unavailable(
                f"No instance could take this within {self._queue_s:g} seconds. Try again later."
            )
        return next((found for live in self.lives if (found := _problem(live)) is not None), None)

    async def results(self, receive: Receive) -> list[Prediction]:
        """All predictions, once they are over; raises ``problem`` or ``ClientDisconnect``."""
        try:
            await self._until(lambda: all(live.over for live in self.lives), receive)
            if (problem := self.problem) is not None:
                raise problem
            return [live.seen for live in self.lives]
        finally:
            await self.close()

    async def begun(self, receive: Receive) -> None:
        """Returns with the first output, or when its client should hear of us; raises as ``results``.

        What fails before that still has a status of its own.
        """
        try:
            await self._until(self._speaks, receive, within_s=KEEP_ALIVE_S)
            if (problem := self.problem) is not None and not self._speaks():
                raise problem
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Cancels what is not over, durably: nobody waits for it any more."""
        self._timer.cancel()
        left = [live for live in self.lives if not live.over]
        # A server that stops keeps what it was told; the next one finds it.
        if left and not any(live.released for live in left):
            await asyncio.gather(*(self._dispatcher.cancel(live.id) for live in left))

    def subscribe(self, waker: Waker) -> None:
        super().subscribe(waker)
        for live in self.lives:
            live.subscribe(waker)

    def unsubscribe(self, waker: Waker) -> None:
        super().unsubscribe(waker)
        for live in self.lives:
            live.unsubscribe(waker)

    def _speaks(self) -> bool:
        return any(live.items for live in self.lives)

    async def _until(
        self, holds: Callable[[], bool], receive: Receive, *, within_s: float | None = None
    ) -> None:
        """Returns when it holds, never will, or the time is over; raises ``ClientDisconnect``."""
        bell = Bell()

        def waker() -> None:
            if self._settled(holds):
                bell.ring()

        reader = Reader(receive, on_gone=bell.ring)
        self.subscribe(waker)
        try:
            while not self._settled(holds):
                if reader.gone:
                    raise ClientDisconnect
                if not await bell.rung(within_s or LOOK_AGAIN_S) and within_s is not None:
                    return
        finally:
            self.unsubscribe(waker)
            reader.release()

    def _settled(self, holds: Callable[[], bool]) -> bool:
        return holds() or self.problem is not None or all(live.over for live in self.lives)

    def _expire(self) -> None:
        if not any(live.items or live.seen.started_us or live.over for live in self.lives):
            self._expired = True
            self.wake()


def _problem(live: Live) -> StokerError | None:
    """Why there will be no answer from this one."""
    if not live.over:
        return Unavailable() if live.released else None
    if live.seen.status is Status.CANCELED:
        return PredictionCanceled()
    if live.seen.status is not Status.FAILED:
        return None
    error = live.seen.error
    return Unavailable() if error == INTERRUPTED else PredictionFailed(error)
