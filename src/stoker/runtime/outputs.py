"""Takes over the files that a model gave and puts links to them into its output. Called by dispatch."""

import asyncio
import mimetypes
import secrets
from pathlib import Path

import msgspec

from stoker.core import ids, retention
from stoker.core.catalog import FileRecord
from stoker.core.inputs import put
from stoker.core.links import Links
from stoker.core.prediction import Prediction
from stoker.core.settings import Settings
from stoker.ports.blobs import Blobs
from stoker.ports.clock import Clock
from stoker.ports.engine import OutputFile
from stoker.ports.store import Store


class OutputFiles:
    def __init__(self, *, store: Store, blobs: Blobs, links: Links, clock: Clock, settings: Settings):
        self._store = store
        self._blobs = blobs
        self._links = links
        self._clock = clock
        self._settings = settings

    async def keep(
        self, value: bytes, files: list[OutputFile], prediction: Prediction, *, synced: bool = True
    ) -> bytes:
        """The output's JSON with a link in the place of each file. Raises ``OSError``.

        What is not ``synced`` a power cut may take away, as the end of the same prediction.
        """
        urls = await asyncio.gather(*(self._keep_one(file, prediction, synced=synced) for file in files))
        decoded = msgspec.json.decode(value)
        for file, url in zip(files, urls, strict=True):
            decoded = put(decoded, file.at, url)
        return msgspec.json.encode(decoded)

    async def sync(self) -> None:
        """The bytes of all files so far survive a power cut, too."""
        await self._blobs.sync()

    async def _keep_one(self, file: OutputFile, prediction: Prediction, *, synced: bool) -> str:
        blob = await self._blobs.adopt(Path(file.path), synced=synced)
        life_s = await self._life_s(prediction)
        now_us = self._clock.now_us()
        record = FileRecord(
            id=ids.opaque_key(secrets.token_bytes(20)),
            account=prediction.account,
            origin="output",
            name=file.name,
            content_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            size_bytes=blob.size_bytes,
            sha256=blob.sha256,
            created_us=now_us,
            expires_us=retention.expiry_us(life_s, now_us),
            prediction=prediction.id,
        )
        await self._store.files.create(record, synced=synced)
        return self._links.content(record.id, record.name, expires_us=record.expires_us)

    async def _life_s(self, prediction: Prediction) -> float:
        """A link must outlive the run that made it and then the time for which outputs are kept."""
        settings = self._settings
        longest_s = settings.train_timeout_s if prediction.kind == "training" else settings.run_timeout_s
        found = await self._store.accounts.get(prediction.account)
        own_s = found.retention_s if found else None
        return longest_s + (settings.retention_s if own_s is None else own_s)
