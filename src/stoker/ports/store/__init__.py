"""What is remembered, and how it may be written.

One port per noun; ``Store`` holds them together. Every write returns when it is durable: neither ``kill -9``
nor, unless it asked for less (``synced``), a power cut takes it back. A write that depends on what was read
carries its guard and says whether the guard held, so that nothing is decided on a stale read. Writes take
effect in the order of the calls, also where nobody waits between them; a read sees all that was acknowledged
before it. Names are compared without case and kept as they were given.

Everything may raise ``StorageFailed`` (disk full, read-only); then nothing of that call was written, and a
later call may succeed. What exists already is ``Conflict`` where no return value says so.

Owners: predictions are written by dispatch (and their data removed by the sweep), models and versions
by the api and the builder, deployments, scales, collections, examples, aliases, lifetimes, uploads and
claims by the api, files by whoever stores one and the sweep, experiences by the fleet, the outbox by dispatch
(insert, in the same transaction as the prediction's change) and the webhook loop (attempts).
"""

from typing import Protocol

from stoker.ports.store.accounts import Accounts
from stoker.ports.store.claims import Claims
from stoker.ports.store.deployments import Deployments
from stoker.ports.store.experiences import Experiences
from stoker.ports.store.files import Files
from stoker.ports.store.models import Aliases, Hit, Lifetimes, ModelOrder, Models, Versions
from stoker.ports.store.paging import Cursor, Page
from stoker.ports.store.predictions import Delivery, Outbox, Predictions
from stoker.ports.store.scales import Scales
from stoker.ports.store.showcase import Collections, Examples
from stoker.ports.store.uploads import Uploads

__all__ = [
    "Accounts",
    "Aliases",
    "Claims",
    "Collections",
    "Cursor",
    "Delivery",
    "Deployments",
    "Examples",
    "Experiences",
    "Files",
    "Hit",
    "Lifetimes",
    "ModelOrder",
    "Models",
    "Outbox",
    "Page",
    "Predictions",
    "Scales",
    "Store",
    "Uploads",
    "Versions",
]


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

    @property
    def experiences(self) -> Experiences: ...

    @property
    def claims(self) -> Claims: ...

    @property
    def lifetimes(self) -> Lifetimes: ...

    @property
    def scales(self) -> Scales: ...

    @property
    def uploads(self) -> Uploads: ...

    async def secret(self, name: str, fresh: str) -> str:
        """A secret of this installation (a signing key): the kept one, else ``fresh``, which is then kept."""
        ...

    async def sync(self) -> None:
        """All that has been written so far survives a power cut, too."""
        ...

    async def close(self) -> None:
        """Writes what is still waiting to be written, then closes."""
        ...
