"""What is remembered, and how it may be written.

One port per noun; ``Store`` holds them together. Every write returns when it is durable: on disk so
that neither ``kill -9`` nor a power cut takes it back. A write that depends on what was read carries
its guard and says whether the guard held, so that nothing is decided on a stale read.

Owners: predictions are written by dispatch (and their data removed by the sweep), models and versions
by the api and the builder, files by whoever stores one and the sweep, the outbox by dispatch (insert,
in the same transaction as the prediction's change) and the webhook loop (attempts).
"""

from collections.abc import Sequence
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

from stoker.core.catalog import Account, FileRecord, Model, Token, Version
from stoker.core.prediction import Ending, Kind, Prediction


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


T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list, and whether there is more in each direction."""

    items: list[T]
    has_next: bool
    has_previous: bool


class Cursor(msgspec.Struct, frozen=True):
    """A place in a list ordered by (time, id): items strictly after it in the given direction."""

    time_us: int
    id: str
    reverse: bool = False


class Predictions(Protocol):
    async def accept(self, prediction: Prediction, deliveries: Sequence[Delivery] = ()) -> None:
        """Keeps a new prediction in the state it is in (starting, or processing where a slot was free)."""
        ...

    async def start(self, id: str, started_us: int, deliveries: Sequence[Delivery] = ()) -> bool:
        """starting -> processing, and forgets the secrets; False where it was no longer starting."""
        ...

    async def finish(self, id: str, ending: Ending, deliveries: Sequence[Delivery] = ()) -> bool:
        """starting | processing -> final, and counts the run; False where it was final already."""
        ...

    async def interrupt(self, now_us: int, error: str) -> int:
        """Fails all that is processing (after a crash), owing each its ``completed`` webhook; how many."""
        ...

    async def get(self, id: str) -> Prediction | None: ...

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
        """Newest first; after is inclusive, before exclusive."""
        ...

    async def remove_data(self, completed_before_us: int, *, limit: int = 500) -> list[str]:
        """Empties input, output and logs of API predictions completed before then; their ids."""
        ...


class Models(Protocol):
    async def create(self, model: Model) -> bool:
        """False where ``owner/name`` exists (compared without case)."""
        ...

    async def get(self, owner: str, name: str) -> Model | None: ...

    async def page(self, account: str, *, cursor: Cursor | None = None, limit: int = 25) -> Page[Model]:
        """The public ones and the account's own, newest first; a cursor's id is ``owner/name``."""
        ...

    async def update(self, owner: str, name: str, **fields: str | None) -> Model | None: ...

    async def delete(self, owner: str, name: str) -> bool:
        """False where it does not exist or still has versions."""
        ...


class Versions(Protocol):
    async def create(self, version: Version) -> bool:
        """Also makes it the model's latest, even where that model has it already (then False)."""
        ...

    async def get(self, id: str, *, model: str | None = None) -> Version | None:
        """By id alone the newest model that has it; with ``model`` (owner/name) only that one's."""
        ...

    async def page(self, model: str, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Version]:
        """Newest first."""
        ...

    async def delete(self, model: str, id: str) -> bool: ...

    async def sources(self) -> set[str]:
        """The sha256 of every source file that some version needs."""
        ...

    async def environments(self) -> set[str]:
        """The environments that some version runs in."""
        ...


class Accounts(Protocol):
    async def create(self, account: Account) -> bool: ...

    async def get(self, name: str) -> Account | None: ...

    async def create_token(self, token: Token) -> None: ...

    async def token_by_digest(self, digest: str) -> Token | None:
        """Also a revoked one."""
        ...

    async def list_tokens(self, account: str) -> list[Token]: ...

    async def revoke_token(self, account: str, id: str, now_us: int) -> bool: ...


class Files(Protocol):
    async def create(self, record: FileRecord) -> None: ...

    async def get(self, id: str) -> FileRecord | None: ...

    async def page(
        self, account: str, *, origin: str = "upload", cursor: Cursor | None = None, limit: int = 100
    ) -> Page[FileRecord]: ...

    async def delete(self, id: str, *, account: str) -> bool: ...

    async def expire(self, now_us: int, *, limit: int = 500) -> int:
        """Forgets the files whose time is over; how many."""
        ...

    async def contents(self) -> set[str]:
        """The sha256 of every file that is remembered."""
        ...


class Outbox(Protocol):
    async def due(self, now_us: int, *, limit: int = 100) -> list[Delivery]: ...

    async def next_due_us(self, *, after_us: int) -> int | None:
        """When the next delivery after that moment is due, None where none is."""
        ...

    async def retry(self, id: str, *, attempts: int, next_us: int) -> None: ...

    async def drop(self, id: str) -> None:
        """Delivered, or given up."""
        ...


class Store(Protocol):
    @property
    def predictions(self) -> Predictions: ...

    @property
    def models(self) -> Models: ...

    @property
    def versions(self) -> Versions: ...

    @property
    def accounts(self) -> Accounts: ...

    @property
    def files(self) -> Files: ...

    @property
    def outbox(self) -> Outbox: ...

    async def secret(self, name: str, fresh: str) -> str:
        """A secret of this installation (a signing key): the kept one, else ``fresh``, which is then kept."""
        ...

    async def close(self) -> None:
        """Writes what is still waiting to be written, then closes."""
        ...
