"""Predictions and the webhooks that they owe. Written by dispatch; data removed by the sweep."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from stoker.core.prediction import Ending, Kind, Prediction
from stoker.ports.store.paging import Cursor, Page


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook message that is owed: kept until it was taken or given up."""

    id: str
    """``msg_...``; the same on every attempt."""
    prediction: str
    event: Literal["start", "completed"]
    created_us: int
    attempts: int = 0
    next_us: int = 0
    """Not before this moment."""


class Predictions(Protocol):
    """``synced`` writes survive a power cut; the others the death of the server, and a power cut once a later
    write is synced. That is enough for a caller who is told nothing before the end and asks again."""

    async def accept(
        self, prediction: Prediction, deliveries: Sequence[Delivery] = (), *, synced: bool = True
    ) -> None:
        """Keeps a new prediction in the state it is in; one that is over already counts as a run, if it ran
        here and was its own."""
        ...

    async def start(
        self, id: str, started_us: int, deliveries: Sequence[Delivery] = (), *, synced: bool = True
    ) -> bool:
        """starting -> processing, and forgets the secrets; False where it was no longer starting."""
        ...

    async def finish(
        self, id: str, ending: Ending, deliveries: Sequence[Delivery] = (), *, synced: bool = True
    ) -> bool:
        """starting | processing -> final; False where it was final already.

        Forgets the secrets, and counts the run in the model's ``run_count`` (no trainings, and no copies).
        """
        ...

    async def keep_output(self, id: str, output: bytes) -> bool:
        """What one that is processing has given so far, for ``interrupt``; False where it is not."""
        ...

    async def interrupt(self, now_us: int, error: str) -> int:
        """Fails all that is processing (after a crash), owing each its ``completed`` webhook; how many.

        Their outputs stay as they were kept.
        """
        ...

    async def get(self, id: str) -> Prediction | None: ...

    async def alike(
        self, account: str, version: str, likeness: str, *, completed_since_us: int
    ) -> Prediction | None:
        """The account's youngest that succeeded by its own run, answers the same and still has its data."""
        ...

    async def known(self, account: str, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are predictions of the account's, of whatever kind."""
        ...

    async def get_by_stream_key(self, key: str) -> Prediction | None: ...

    async def waiting(self) -> list[Prediction]:
        """All that is starting, oldest first."""
        ...

    async def page(
        self,
        account: str,
        *,
        kind: Kind = "prediction",
        cursor: Cursor | None = None,
        limit: int = 100,
        created_after_us: int | None = None,
        created_before_us: int | None = None,
        source: str | None = None,
    ) -> Page[Prediction]:
        """Newest first; after is inclusive, before exclusive. ``logs`` is left out: it may be large."""
        ...

    async def remove_data(self, account: str, completed_before_us: int, *, limit: int = 500) -> list[str]:
        """Empties input, output and logs of the account's first API predictions completed or imported before.

        Gives their ids. Their files are forgotten, and so is what they are like. What is kept as an example
        stays, and its files do.
        Trainings keep theirs: their output names the version that they made.
        """
        ...

    async def remove_deleted(self, *, limit: int = 500) -> list[str]:
        """The first of those whose versions were deleted with what they ran; gives their ids.

        No method finds them any more, and their files are forgotten. Who ran what for how long stays in the
        database, for the bill.
        """
        ...


class Outbox(Protocol):
    async def due(self, now_us: int, *, limit: int = 100) -> list[Delivery]:
        """What may be tried now, longest due first."""
        ...

    async def next_due_us(self, *, after_us: int) -> int | None:
        """When the next delivery after that moment is due, None where none is."""
        ...

    async def retry(self, id: str, *, attempts: int, next_us: int) -> None: ...

    async def drop(self, id: str) -> None:
        """Delivered, or given up."""
        ...
