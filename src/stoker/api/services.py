"""What the handlers work with. Built by the composition root, given to ``create_app``, never changed.

The two protocols say what the api asks of dispatch and of the builder, so that tests can script them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from stoker.api.auth import Tokens
from stoker.api.known import KnownVersions
from stoker.api.lifetimes import Lifetimes
from stoker.api.limits import RateLimits
from stoker.api.retries import Retries
from stoker.api.under_way import UnderWay
from stoker.core.builds import PLAIN, Build, BuildEvent, Order
from stoker.core.catalog import SourceFile, Version
from stoker.core.checkpoints import Checkpoint, Fetch, Wanted
from stoker.core.deployments import Deployment
from stoker.core.hardware import CPU, Hardware
from stoker.core.links import Links
from stoker.core.prediction import Prediction
from stoker.core.scales import Target, Warm
from stoker.core.scaling import Scale
from stoker.core.settings import Settings
from stoker.core.waiting import Wait
from stoker.ports.blobs import Blobs
from stoker.ports.clock import Clock
from stoker.ports.store import Store
from stoker.runtime.boots import Boots
from stoker.runtime.live import Live


class Dispatcher(Protocol):
    """The owner of every prediction that is not over."""

    def submit(
        self, prediction: Prediction, version: Version, *, told: bool = True, answer: Prediction | None = None
    ) -> Live:
        """Takes a prediction at once; its client may be told once ``Live.accepted`` is done.

        ``answer`` is an earlier one with the answer to the same; nothing runs then.
        ``told`` is false where the client waits for the end and is told nothing before. Raises
        ``Unavailable`` while the server stops, ``NotFound`` where its deployment is gone, and ``Conflict``
        where that is disabled.
        """
        ...

    def live(self, id: str) -> Live | None: ...

    def live_by_stream_key(self, key: str) -> Live | None: ...

    async def cancel(self, id: str) -> Prediction | None:
        """The final state, durable; None where it is not live."""
        ...

    def instances(self) -> list[dict[str, Any]]:
        """What runs, for ``/health``."""
        ...


class Waits(Protocol):
    """Why predictions have not started."""

    def of(self, id: str) -> Wait | None:
        """Of one prediction; None where it does not wait."""
        ...

    def paused(self) -> list[dict[str, Any]]:
        """What failed to start and is tried again later, for ``/health``."""
        ...

    def resume(self, *, model: str | None = None, deployment: str | None = None) -> list[dict[str, Any]]:
        """Ends the pauses of a model's versions or of a deployment; gives them as they were."""
        ...


class Troubles(Protocol):
    """What is wrong with the machine."""

    def now(self) -> list[str]:
        """A sentence each, for ``/health``."""
        ...

    def check_disk(self) -> None:
        """Raises ``StorageFull`` where nothing new can be taken."""
        ...


class Scales(Protocol):
    """What of instances is asked for, as the time has it."""

    def is_warm(self, warm: Warm, model: str, version: str) -> bool: ...

    def holds(
        self, target: Target, deployment: Deployment | None = None, *, host: Target | None = None
    ) -> Scale:
        """What is so now; a deployment comes with its target, and so does in whose instances it runs."""
        ...

    def hours_a_week(self, warm: Warm, model: str) -> float: ...


class Warmth(Protocol):
    async def step(self, now_us: int, /) -> None:
        """Applies what the store has."""
        ...


class Deployer(Protocol):
    """Told of deployments once the store has them."""

    def deploy(self, deployment: Deployment, version: Version) -> None:
        """The deployment's release is current from now on."""
        ...

    def withdraw(self, deployment: Deployment) -> None:
        """The deployment was deleted."""
        ...


class BuildLog(Protocol):
    """A build and what it told so far, while the server remembers it."""

    seen: Build
    events: list[BuildEvent]

    def subscribe(self, waker: Callable[[], None]) -> None: ...

    def unsubscribe(self, waker: Callable[[], None]) -> None: ...


class Builder(Protocol):
    """Makes versions of source trees."""

    async def start(self, model: str, files: Sequence[SourceFile], order: Order = PLAIN) -> Build:
        """Begins; raises ``Invalid`` for a tree that cannot be one, or for what is not here yet."""
        ...

    def get(self, id: str) -> BuildLog | None: ...

    async def close(self) -> None:
        """Ends what is being built, and tells whoever listens."""
        ...


class FetchLog(Protocol):
    """A fetch and how far it is, while the server remembers it."""

    seen: Fetch
    changes: int

    @property
    def is_over(self) -> bool: ...

    def subscribe(self, waker: Callable[[], None]) -> None: ...

    def unsubscribe(self, waker: Callable[[], None]) -> None: ...


class Checkpoints(Protocol):
    """The weights that are here."""

    async def get(self, id: str) -> Checkpoint | None: ...

    async def all(self) -> list[Checkpoint]: ...


class Fetches(Protocol):
    """Brings weights here."""

    @property
    def shelf(self) -> Checkpoints: ...

    async def start(self, wanted: Wanted) -> Fetch:
        """Begins, or joins the one that brings the same; raises ``Invalid`` for what cannot be a source."""
        ...

    def get(self, id: str) -> FetchLog | None: ...

    def running(self) -> list[Fetch]: ...

    async def stop(self, id: str) -> None:
        """Breaks one off, and tells whoever listens."""
        ...

    async def close(self) -> None:
        """Breaks off what is under way, and tells whoever listens."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    store: Store
    blobs: Blobs
    dispatcher: Dispatcher
    waits: Waits
    troubles: Troubles
    scales: Scales
    warmth: Warmth
    deployer: Deployer
    builder: Builder
    fetches: Fetches
    links: Links
    settings: Settings
    clock: Clock
    boots: Boots = field(default_factory=Boots)
    hardware: tuple[Hardware, ...] = (CPU,)
    tokens: Tokens = field(init=False)
    versions: KnownVersions = field(init=False)
    lifetimes: Lifetimes = field(init=False)
    retries: Retries = field(init=False)
    under_way: UnderWay = field(init=False)
    limits: RateLimits = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", self._tokens())
        object.__setattr__(self, "versions", KnownVersions(self.store.versions))
        object.__setattr__(self, "lifetimes", Lifetimes(self.store.lifetimes))
        object.__setattr__(self, "retries", Retries())
        object.__setattr__(self, "under_way", UnderWay())
        object.__setattr__(self, "limits", RateLimits(self.settings))

    def _tokens(self) -> Tokens:
        return Tokens(self.store.accounts, self.clock, operator=self.settings.account)
