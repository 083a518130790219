"""Deployments and their releases. Written by the api alone."""

from typing import Protocol

from stoker.core.deployments import Deployment, Release
from stoker.ports.store.paging import Cursor, Page


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
