"""The event log of a prediction that is not over yet: one writer (dispatch), any number of readers.

Waiting requests, streams and webhooks read this log and never talk to an instance. It is in memory; what
must survive is in the store before it can be seen here: the visible status follows the commits.
"""

import asyncio
from typing import Any

import msgspec

from stoker.core.logs import Log
from stoker.core.prediction import Prediction, Status
from stoker.core.sharing import Came
from stoker.core.watched import Watched


class Live(Watched):
    """A prediction's log. Readers remember how far they have read; a change wakes them all at once.

    ``items`` are the JSON texts of the outputs so far: the elements of a growing array, or (``iterates``
    false) one whole output. ``seen`` is the prediction as the store has it. ``over`` is set once
    the final state is durable; ``released`` once the server stops and readers should let go.
    """

    def __init__(self, prediction: Prediction, *, iterates: bool, log_limit_bytes: int, synced: bool = True):
        super().__init__()
        self.seen = prediction
        self.synced = synced
        """Whether its writes must survive a power cut: somebody is told of it before it ends."""
        self.iterates = iterates
        self.released = False
        self.items: list[bytes] = []
        self.metrics: dict[str, Any] = {}
        self.over = False
        self.came: Came | None = "miss" if prediction.likeness else None
        """How it comes to its answer, where it may share one."""
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the prediction is durable; only then may its client be told of it."""
        self._log = Log(log_limit_bytes)

    # -- reading -----------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.seen.id

    @property
    def shows_output(self) -> bool:
        """Whether its output is shown by now: once it reads as running, and one that comes whole at the end.

        Section 7.1 and gotcha 35 of the HTTP contract.
        """
        has_started = self.seen.status is not Status.STARTING
        return self.over or (has_started and (self.iterates or self.seen.kind == "training"))

    @property
    def logs(self) -> str:
        return self._log.text

    def output(self) -> msgspec.Raw | None:
        """The output so far, as JSON."""
        if self.iterates:
            return msgspec.Raw(b"[" + b",".join(self.items) + b"]") if self.items else None
        return msgspec.Raw(self.items[-1]) if self.items else None

    def view(self) -> Prediction:
        """The prediction as a GET shows it now: its output as far as that is shown yet."""
        if self.over or not (self.items or self._log or self.metrics):
            return self.seen
        output = self.output() if self.shows_output else None
        shown = msgspec.structs.replace(self.seen, output=output, logs=self.logs)
        if self.seen.kind == "training":
            # Of predictions the recorded answers show none before the end; a training's are how it goes.
            return msgspec.structs.replace(shown, metrics=msgspec.Raw(msgspec.json.encode(self.metrics)))
        return shown

    async def wait_over(self, timeout_s: float | None = None) -> bool:
        """Whether the final state was durable within the time (and before the server let go)."""
        if self.over or self.released:
            return self.over
        done = asyncio.get_running_loop().create_future()

        def waker() -> None:
            if (self.over or self.released) and not done.done():
                done.set_result(None)

        self.subscribe(waker)
        try:
            await asyncio.wait_for(done, timeout_s)
        except TimeoutError:
            return False
        finally:
            self.unsubscribe(waker)
        return self.over

    # -- writing (dispatch only) -------------------------------------------------------------------

    def add_output(self, value: bytes, *, item: bool) -> None:
        """The next element of a growing array, or the whole output."""
        self.iterates = item
        self.items.append(value)

    def add_log(self, text: str) -> None:
        """Keeps the text as long as there is room."""
        self._log.add(text)

    def release(self) -> None:
        """The server stops: whoever waits lets go."""
        self.released = True
        self.wake()

    def advance(self, prediction: Prediction) -> None:
        """The store has it in this state now."""
        self.seen = prediction
        self.over = prediction.status.is_final
        self.wake()
