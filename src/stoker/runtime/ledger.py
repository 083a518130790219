"""Writes dispatch's decisions to the store, in the order in which they were taken, and then shows them.

Used by dispatch alone. A log's visible state moves only when the store has it, so that no crash makes a
status go backwards. Webhook deliveries are owed in the same transaction as the change they tell of.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Literal, NamedTuple

from stoker.core import ids, webhooks
from stoker.core.catalog import Version
from stoker.core.prediction import Ending, Prediction, Status
from stoker.ports.clock import Clock
from stoker.ports.store import Delivery, Store
from stoker.runtime.live import Live

log = logging.getLogger(__name__)

WRITE_AGAIN_S = 1.0
CLOSE_WITHIN_S = 5.0
HOLD_S = 0.05
"""How long the acceptance of a prediction that nobody is told of may wait for its end: most that can be
answered at once end sooner, and are then written whole instead of twice."""


class Held(NamedTuple):
    """An acceptance that waits to be written with its end."""

    prediction: Prediction
    refused: Callable[[], None]
    timer: asyncio.TimerHandle


class Ledger:
    def __init__(self, *, store: Store, clock: Clock, owed: Callable[[], None]):
        """``owed`` is called when a webhook delivery has been written."""
        self._store = store
        self._clock = clock
        self._owed = owed
        self._held: dict[str, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unwritten = 0

    @property
    def unwritten(self) -> int:
        """Decisions that could not be written yet; they are tried again until they are."""
        return self._unwritten

    def accept(self, live: Live, prediction: Prediction, *, refused: Callable[[], None]) -> None:
        """Writes a new prediction; resolves ``live.accepted``. If that fails, ``refused`` first.

        One that runs already, and of which nobody is told before its end, may be written with its end.
        """
        if live.synced or prediction.status is not Status.PROCESSING:
            self._spawn(self._accept(live, prediction, refused))
            return
        timer = asyncio.get_running_loop().call_later(HOLD_S, self._hold_no_longer, live)
        self._held[live.id] = Held(prediction, refused, timer)

    def start(self, live: Live, prediction: Prediction) -> None:
        self._spawn(self._start(live, prediction))

    def keep_output(self, live: Live) -> None:
        """Writes the output so far; nobody is told of it, and the end replaces it."""
        if (output := live.output()) is not None:
            self._spawn(self._write(lambda: self._store.predictions.keep_output(live.id, output)))

    def finish(self, live: Live, prediction: Prediction, ending: Ending, *, then: Callable[[], None]) -> None:
        """Writes the end; ``then`` is called when it is durable, before anybody sees it."""
        held = self._held.pop(live.id, None)
        if held is None:
            self._spawn(self._finish(live, prediction, ending, then))
            return
        held.timer.cancel()
        self._spawn(self._accept(live, prediction, held.refused, then))

    def accept_over(
        self, live: Live, prediction: Prediction, *, refused: Callable[[], None], then: Callable[[], None]
    ) -> None:
        """Writes a new prediction that is over already, whole; the two as for ``accept`` and ``finish``."""
        self._spawn(self._accept(live, prediction, refused, then))

    async def recover(self, error: str) -> list[tuple[Prediction, Version]]:
        """Fails what was running when the last server died; gives what was waiting, oldest first."""
        if interrupted := await self._store.predictions.interrupt(self._clock.now_us(), error):
            log.warning("%d predictions were running when the server died; they have failed", interrupted)
            self._owed()
        waiting: list[tuple[Prediction, Version]] = []
        for prediction in await self._store.predictions.waiting():
            version = await self._store.versions.get(prediction.version, model=prediction.model)
            if version is not None:
                waiting.append((prediction, version))
            else:
                await self._fail_without_version(prediction)
        return waiting

    async def close(self) -> None:
        """Waits, within bounds, until everything is written. Nothing runs any more."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_WITHIN_S)

    def _hold_no_longer(self, live: Live) -> None:
        held = self._held.pop(live.id)
        self._spawn(self._accept(live, held.prediction, held.refused))

    async def _accept(
        self,
        live: Live,
        prediction: Prediction,
        refused: Callable[[], None],
        then: Callable[[], None] | None = None,
    ) -> None:
        notes = self._notes_of_new(prediction)
        try:
            await self._store.predictions.accept(prediction, notes, synced=live.synced)
        except Exception as error:  # noqa: BLE001  whatever it was, the client who waits must hear it
            log.error("prediction %s could not be written: %s", prediction.id, error)
            refused()
            live.accepted.set_exception(error)
            return
        if then is not None:
            then()
        self._show(live, prediction, notes)
        live.accepted.set_result(None)

    async def _start(self, live: Live, prediction: Prediction) -> None:
        notes = self._notes(prediction, "start")
        moment = prediction.started_us or 0
        await self._write(
            lambda: self._store.predictions.start(prediction.id, moment, notes, synced=live.synced)
        )
        self._show(live, prediction, notes)

    async def _finish(
        self, live: Live, prediction: Prediction, ending: Ending, then: Callable[[], None]
    ) -> None:
        notes = self._notes(prediction, "completed")
        await self._write(
            lambda: self._store.predictions.finish(prediction.id, ending, notes, synced=live.synced)
        )
        then()
        self._show(live, prediction, notes)

    def _show(self, live: Live, prediction: Prediction, notes: list[Delivery]) -> None:
        if not live.over:
            live.advance(prediction)
        if notes:
            self._owed()

    async def _write(self, act: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        """Writes until it is written: a full disk must not lose what has been decided."""
        if await self._is_written(act):
            return
        self._unwritten += 1
        try:
            await self._clock.sleep(WRITE_AGAIN_S)
            while not await self._is_written(act):
                await self._clock.sleep(WRITE_AGAIN_S)
        finally:
            self._unwritten -= 1

    async def _is_written(self, act: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
        try:
            await act()
        except Exception as error:  # noqa: BLE001  any failure of the disk; it is tried again
            log.error("cannot write, trying again in %g s: %s", WRITE_AGAIN_S, error)
            return False
        return True

    async def _fail_without_version(self, prediction: Prediction) -> None:
        ending = Ending(
            status=Status.FAILED,
            completed_us=self._clock.now_us(),
            error="The version was deleted before the prediction could run (E9243)",
        )
        await self._store.predictions.finish(prediction.id, ending, self._notes(prediction, "completed"))

    def _notes_of_new(self, prediction: Prediction) -> list[Delivery]:
        """What is owed with its acceptance, however far it has come by then."""
        if prediction.status is Status.STARTING:
            return []
        started = self._notes(prediction, "start")
        return started + self._notes(prediction, "completed") if prediction.status.is_final else started

    def _notes(self, prediction: Prediction, event: Literal["start", "completed"]) -> list[Delivery]:
        if not webhooks.wants(prediction, event):
            return []
        id = f"msg_{ids.opaque_key(secrets.token_bytes(15))}"
        now_us = self._clock.now_us()
        return [Delivery(id=id, prediction=prediction.id, event=event, created_us=now_us, next_us=now_us)]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
