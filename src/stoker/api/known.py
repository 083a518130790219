"""Versions kept at hand, with what the api derives from each: its input schema and kind of stream.

Versions never change, so they are kept until room is needed or the api deletes one (``forget``).
"""

from stoker.api.inputs import InputSchema
from stoker.api.wire import Streams, streams_of
from stoker.core.catalog import Version
from stoker.ports.store import Versions

MOST_KEPT = 256


class Known:
    """A version, ready to take input."""

    def __init__(self, version: Version):
        self.version = version
        self.streams: Streams | None = streams_of(version)
        self.inputs = InputSchema(version.openapi_schema)


class KnownVersions:
    """A small least-recently-used cache over the store's versions."""

    def __init__(self, versions: Versions):
        self._versions = versions
        self._kept: dict[tuple[str, str | None], Known] = {}

    async def get(self, id: str, *, model: str | None = None) -> Known | None:
        """The version (of that model, ``owner/name``); None where there is none."""
        key = (id, model)
        known = self._kept.pop(key, None)
        if known is None:
            version = await self._versions.get(id, model=model)
            if version is None:
                return None
            known = Known(version)
        self._kept[key] = known
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return known

    def forget(self, id: str) -> None:
        """Must be called when a version is deleted."""
        self._kept = {key: known for key, known in self._kept.items() if key[0] != id}
