"""Makes a version of what a training gave. Called by dispatch when one has succeeded, before it ends."""

import logging

import msgspec

from stoker.core.catalog import FileRecord, Version
from stoker.core.errors import Invalid, NotFound
from stoker.core.links import Links
from stoker.core.prediction import Prediction
from stoker.core.trainings import trained_version, weights_of
from stoker.ports.clock import Clock
from stoker.ports.store import Store

log = logging.getLogger(__name__)

NO_WEIGHTS = "The training gave no weights: return a Path, or an object with a Path named `weights`"
NO_DESTINATION = "The training destination does not exist any more"


class Trainings:
    def __init__(self, *, store: Store, links: Links, clock: Clock):
        self._store = store
        self._links = links
        self._clock = clock

    async def publish(self, training: Prediction, base: Version, given: bytes | None) -> bytes:
        """The training's output as JSON: the new version of its destination, and a link to the weights.

        ``given`` is what the model gave, its files replaced by links. Raises ``Invalid`` where it has no
        weights or nowhere to put them.
        """
        url = weights_of(msgspec.json.decode(given)) if given is not None else None
        file = await self._own_file(url, training) if url is not None else None
        if file is None:
            raise Invalid(NO_WEIGHTS)
        version = trained_version(
            base,
            weights=file.sha256,
            name=file.name,
            destination=training.destination or "",
            now_us=self._clock.now_us(),
        )
        try:
            await self._store.versions.create(version)
        except NotFound:
            raise Invalid(NO_DESTINATION) from None
        log.info("training %s made version %s of %s", training.id, version.id[:12], version.model)
        return msgspec.json.encode({"version": f"{version.model}:{version.id}", "weights": url})

    async def _own_file(self, url: str, training: Prediction) -> FileRecord | None:
        """A model may return the text of any link; only a file that this training made is its weights."""
        id = self._links.own_file(url)
        record = await self._store.files.get(id) if id is not None else None
        return record if record is not None and record.prediction == training.id else None
