"""Removes what has outlived its time: data of old predictions, expired files, bytes that nobody refers to."""

import logging

from stoker.core.settings import Settings
from stoker.ports.blobs import Blobs
from stoker.ports.clock import Clock
from stoker.ports.store import Store

log = logging.getLogger(__name__)

EVERY_S = 60.0
BLOBS_EVERY_US = 10 * 60 * 1_000_000
YOUNG_S = 3600.0
"""A blob this young is left alone: whoever put it may not have written down yet what it is for."""


class Sweep:
    def __init__(self, *, store: Store, blobs: Blobs, clock: Clock, settings: Settings):
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._settings = settings
        self._blobs_us = 0

    async def step(self, now_us: int) -> None:
        await self._remove_data(now_us)
        while await self._store.files.expire(now_us):
            pass
        if now_us - self._blobs_us >= BLOBS_EVERY_US:
            self._blobs_us = now_us
            await self.sweep_blobs()

    async def sweep_blobs(self) -> None:
        """The young-age guard covers what is put while this looks."""
        keep = await self._store.files.contents() | await self._store.versions.sources()
        if removed := await self._blobs.sweep(keep, older_than_s=YOUNG_S):
            log.info("removed %d files that nothing refers to", removed)

    async def _remove_data(self, now_us: int) -> None:
        before_us = now_us - int(self._settings.retention_s * 1e6)
        while await self._store.predictions.remove_data(before_us):
            pass
