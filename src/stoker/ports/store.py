"""What is remembered, and how it may be written.

One port per noun; ``Store`` holds them together. Every write returns when it is durable: neither ``kill -9``
nor, unless it asked for less (``synced``), a power cut takes it back. A write that depends on what was read
carries its guard and says whether the guard held, so that nothing is decided on a stale read. Writes take
effect in the order of the calls, also where nobody waits between them; a read sees all that was acknowledged
before it. Names are compared without case and kept as they were given.

Everything may raise ``StorageFailed`` (disk full, read-only); then nothing of that call was written, and a
later call may succeed. What exists already is ``Conflict`` where no return value says so.

Owners: predictions are written by dispatch (and their data removed by the sweep), models and versions
by the api and the builder, deployments, collections, examples and aliases by the api, files by whoever
stores one and the sweep, the outbox by dispatch (insert, in the same transaction as the prediction's
change) and the webhook loop (attempts).
"""

from collections.abc import Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from stoker.core.aliases import Alias
from stoker.core.catalog import Account, FileRecord, Member, Model, Role, Token, Version
from stoker.core.collections import Collection
from stoker.core.deployments import Deployment, Release
from stoker.core.examples import Example
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
    """Part of a list, newest first whichever way it was reached, and whether there is more either way.

    It has fewer items than the limit where there are no more, or where they are large.
    """

    items: list[T]
    has_next: bool
    """Whether there are older ones."""
    has_previous: bool
    """Whether there are newer ones; of the first page (no cursor) never."""


class Cursor(msgspec.Struct, frozen=True):
    """A place in a list ordered by (time, id), for the items strictly older (``reverse``: newer) than it."""

    time_us: int
    id: str
    reverse: bool = False


ModelOrder = Literal["created", "recent"]


class Predictions(Protocol):
    """``synced`` writes survive a power cut; the others the death of the server, and a power cut once a later
    write is synced. That is enough for a caller who is told nothing before the end and asks again."""

    async def accept(
        self, prediction: Prediction, deliveries: Sequence[Delivery] = (), *, synced: bool = True
    ) -> None:
        """Keeps a new prediction in the state it is in; one that is over already counts as a run."""
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

        Forgets the secrets, and counts the run in the model's ``run_count`` (trainings are not counted).
        """
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
        """Newest first; after is inclusive, before exclusive. ``logs`` is left out: it may be large."""
        ...

    async def remove_data(self, account: str, completed_before_us: int, *, limit: int = 500) -> list[str]:
        """Empties input, output and logs of the account's first API predictions completed before then.

        Gives their ids. Their files are forgotten. What is kept as an example stays, and its files do.
        Trainings keep theirs: their output names the version that they made.
        """
        ...


class Models(Protocol):
    async def create(self, model: Model) -> bool:
        """False where ``owner/name`` exists (compared without case)."""
        ...

    async def get(self, owner: str, name: str) -> Model | None: ...

    async def page(
        self,
        account: str,
        *,
        cursor: Cursor | None = None,
        limit: int = 25,
        order: ModelOrder = "created",
        ascending: bool = False,
    ) -> Page[Model]:
        """The public ones, the account's own and its organisations', newest first unless ``ascending``.

        ``recent`` goes by ``Model.recent_us``. A cursor's id is ``owner/name``.
        """
        ...

    async def search(self, words: Sequence[str], account: str, *, limit: int = 25) -> list[Model]:
        """Of the same, those with all the words in name, owner, description and README, the best first.

        At least one word; each is of letters and digits, and may be the beginning of a longer one.
        """
        ...

    async def update(self, owner: str, name: str, **fields: str | None) -> Model | None:
        """Changes what people may change (not name, times or counts); the model as it is now."""
        ...

    async def delete(self, owner: str, name: str) -> bool:
        """False where it does not exist or still has versions."""
        ...


class Versions(Protocol):
    async def create(self, version: Version) -> bool:
        """Also makes it the model's latest, even where that model has it already (then False).

        Raises ``NotFound`` where there is no such model.
        """
        ...

    async def get(self, id: str, *, model: str | None = None) -> Version | None:
        """By id alone the newest model that has it; with ``model`` (owner/name) only that one's."""
        ...

    async def get_visible(self, id: str, account: str) -> Version | None:
        """By id alone, of a model that the account may see: its own, its organisations', then public ones."""
        ...

    async def page(self, model: str, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Version]:
        """Newest first."""
        ...

    async def delete(self, model: str, id: str) -> bool:
        """The newest that is left becomes the model's latest, where this one was.

        False where there is none, or a deployment's current release runs it.
        """
        ...

    async def ids(self) -> set[str]:
        """The id of every version."""
        ...

    async def has_trained(self, model: str, id: str) -> bool:
        """Whether another version was trained from that one."""
        ...

    async def sources(self) -> set[str]:
        """The sha256 of every source file, and of all trained weights, that some version needs."""
        ...

    async def environments(self) -> set[str]:
        """The environments that some version runs in."""
        ...


class Accounts(Protocol):
    async def create(self, account: Account) -> bool: ...

    async def get(self, name: str) -> Account | None: ...

    async def page(self, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Account]:
        """All of them, newest first; a cursor's id is the name."""
        ...

    async def update(self, name: str, **fields: Any) -> Account | None:
        """Changes display_name, avatar_url, github_url, retention_s; the account as it is now."""
        ...

    async def retentions(self) -> dict[str, float | None]:
        """The ``retention_s`` of every account."""
        ...

    async def set_member(self, member: Member) -> None:
        """Makes a user a member, or gives a member another role."""
        ...

    async def remove_member(self, organization: str, account: str) -> bool: ...

    async def members(self, organization: str) -> list[Member]:
        """By name."""
        ...

    async def roles(self, account: str) -> dict[str, Role]:
        """The organisations that a user belongs to."""
        ...

    async def create_token(self, token: Token) -> None: ...

    async def token(self, id: str) -> Token | None:
        """Also a revoked one."""
        ...

    async def token_by_digest(self, digest: str) -> Token | None:
        """Also a revoked one."""
        ...

    async def list_tokens(self, account: str) -> list[Token]:
        """Oldest first, revoked ones too."""
        ...

    async def revoke_token(self, account: str, id: str, now_us: int) -> bool:
        """False where there is no such token, or it was revoked already."""
        ...

    async def note_uses(self, ids: Sequence[str], now_us: int) -> None:
        """The tokens were used about now."""
        ...


class Files(Protocol):
    async def create(self, record: FileRecord, *, synced: bool = True) -> None: ...

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


class Deployments(Protocol):
    """Deployments with their current release; older releases are kept with them."""

    async def create(self, deployment: Deployment) -> bool:
        """False where ``owner/name`` exists. Raises ``VersionUnknown`` where its version does not."""
        ...

    async def get(self, owner: str, name: str) -> Deployment | None: ...

    async def page(self, account: str, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Deployment]:
        """The account's own, newest first; a cursor's id is ``owner/name``."""
        ...

    async def all(self) -> list[Deployment]: ...

    async def release(self, ref: str, release: Release) -> bool:
        """Makes it the current one; False where the current one is not the one before it, or all is gone.

        Raises ``VersionUnknown`` where its version does not exist.
        """
        ...

    async def runs(self, model: str, version: str) -> bool:
        """Whether a current release runs that version of the model (owner/name)."""
        ...

    async def delete(self, ref: str, *, unused_since_us: int | None) -> bool:
        """False where it does not exist or (given a moment) a prediction of it is not over or ended later."""
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


class Collections(Protocol):
    async def create(self, collection: Collection) -> bool:
        """False where the slug is taken."""
        ...

    async def get(self, slug: str) -> Collection | None: ...

    async def page(self, *, cursor: Cursor | None = None, limit: int = 100) -> Page[Collection]:
        """Newest first; a cursor's id is the slug."""
        ...

    async def update(self, slug: str, **fields: str | None) -> Collection | None:
        """Changes name, description and full_description; the collection as it is now."""
        ...

    async def delete(self, slug: str) -> bool: ...

    async def add(self, slug: str, model: str) -> bool:
        """Puts a model (owner/name) at the end, or leaves it where it is; False where either is missing."""
        ...

    async def remove(self, slug: str, model: str) -> bool: ...

    async def models(self, slug: str) -> list[Model]:
        """In their order, private ones too; a deleted model is in no collection."""
        ...


class Examples(Protocol):
    async def keep(
        self, model: str, prediction: str, *, files: Sequence[str], now_us: int, default: bool = False
    ) -> bool:
        """Makes a prediction of the model an example, which nothing removes; its account's ``files`` stay.

        The first one becomes the model's default; ``default`` makes this one it. False where the
        prediction is not over, or of another model, or empty already.
        """
        ...

    async def drop(self, model: str, prediction: str) -> bool:
        """It is an example no longer; it and its files have their old time to live. The oldest of the others
        becomes the default where this was it."""
        ...

    async def get(self, prediction: str) -> Example | None: ...

    async def page(self, model: str, *, cursor: Cursor | None = None, limit: int = 25) -> Page[Example]:
        """Last kept first; a cursor is (kept_us, id of the prediction)."""
        ...


class Aliases(Protocol):
    async def put(self, model: str, version: str, aliases: Sequence[Alias]) -> None:
        """The aliases of a version from now on. Raises ``NotFound`` where there is no such version,
        ``Conflict`` where an id is another version's (real or alias) or a name is another model's."""
        ...

    async def of_version(self, model: str, version: str) -> list[Alias]:
        """Bare ids first, then by name."""
        ...

    async def by_id(self, id: str) -> list[Alias]:
        """All of the same version: an id has one meaning."""
        ...

    async def by_name(self, name: str) -> Alias | None:
        """The one whose version is the newest."""
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
    def deployments(self) -> Deployments: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def collections(self) -> Collections: ...

    @property
    def examples(self) -> Examples: ...

    @property
    def aliases(self) -> Aliases: ...

    async def secret(self, name: str, fresh: str) -> str:
        """A secret of this installation (a signing key): the kept one, else ``fresh``, which is then kept."""
        ...

    async def sync(self) -> None:
        """All that has been written so far survives a power cut, too."""
        ...

    async def close(self) -> None:
        """Writes what is still waiting to be written, then closes."""
        ...
