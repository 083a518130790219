"""Removes what has outlived its time: data of old predictions, predictions of deleted versions, expired
files, bytes, sources, environments, checkpoints, idempotency keys.

A duty of the server's. It asks the store what is still referred to and leaves the removing to the adapters.
"""

import logging

from stoker.core import claims, retention
from stoker.core.settings import Settings
from stoker.ports.blobs import Blobs
from stoker.ports.store import Store
from stoker.ports.workspace import Workspace
from stoker.runtime.errands import Errands
from stoker.runtime.fleet import Fleet

log = logging.getLogger(__name__)

EVERY_S = 60.0
DISK_EVERY_US = 10 * 60 * 1_000_000
UPLOADS_KEPT_US = 30 * 86400 * 1_000_000
"""Whoever has not pushed something for so long sends it once more."""
YOUNG_S = 3600.0
"""A blob this young is left alone: whoever put it may not have written down yet what it is for."""


class Sweep:
    def __init__(
        self,
        *,
        store: Store,
        blobs: Blobs,
        workspace: Workspace,
        fleet: Fleet,
        errands: Errands,
        settings: Settings,
    ):
        self._store = store
        self._blobs = blobs
        self._workspace = workspace
        self._fleet = fleet
        self._errands = errands
        self._settings = settings
        self._disk_us = 0

    async def step(self, now_us: int) -> None:
        await self._remove_data(now_us)
        while await self._store.predictions.remove_deleted():
            pass
        while await self._store.files.expire(now_us):
            pass
        if now_us - self._disk_us >= DISK_EVERY_US:
            self._disk_us = now_us
            await self._store.uploads.forget(now_us - UPLOADS_KEPT_US)
            await self._store.claims.forget(now_us - claims.KEPT_US)
            await self._sweep_blobs()
            await self._sweep_workspace()

    async def _remove_data(self, now_us: int) -> None:
        retentions = await self._store.accounts.retentions()
        cutoffs = retention.cutoffs_us(retentions, self._settings.retention_s, now_us)
        for account, before_us in cutoffs.items():
            while await self._store.predictions.remove_data(account, before_us):
                pass

    async def _sweep_blobs(self) -> None:
        """The young-age guard covers what is put while this looks."""
        keep = await self._store.files.contents() | await self._store.versions.sources()
        keep |= {weights for member in self._fleet.members() if (weights := member.version.recipe.weights)}
        keep |= self._errands.lent()
        if removed := await self._blobs.sweep(keep, older_than_s=YOUNG_S):
            log.info("removed %d files that nothing refers to", removed)

    async def _sweep_workspace(self) -> None:
        """A version may be deleted while it still runs; what starts while this looks has a young place."""
        versions = await self._store.versions.ids()
        environments = await self._store.versions.environments()
        checkpoints = set(await self._store.versions.by_checkpoint())
        for member in self._fleet.members():
            versions.add(member.version.id)
            environments.add(member.version.recipe.environment)
            if member.version.recipe.checkpoint is not None:
                checkpoints.add(member.version.recipe.checkpoint)
        removed = await self._workspace.sweep(
            versions, environments, checkpoints, environment_keep_s=self._settings.environment_keep_s
        )
        if removed:
            log.info("removed %d source trees, environments and checkpoints that no version needs", removed)
