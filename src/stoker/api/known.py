"""Versions kept at hand, with what the api derives from each: its input schema and kind of stream.

Versions never change, so they are kept until room is needed or the api deletes one (``forget``).
"""

from collections.abc import Awaitable, Callable
from functools import cached_property

from stoker.api.inputs import InputSchema
from stoker.api.wire import Streams, streams_of
from stoker.core.catalog import Version
from stoker.core.errors import Invalid
from stoker.core.prediction import Kind
from stoker.ports.store import Versions

MOST_KEPT = 256
NO_CODE = (
    "The version {version.id} of {version.model} was imported from {version.imported_from} without its code. "
    "Push the code, or add the model with `stoker catalog add`, and let that version stand in for this id."
)
Key = tuple[str, str]
"""The id, and the model or (``@``) the account that it was asked for."""


class Known:
    """A version, ready to take input."""

    def __init__(self, version: Version):
        self.version = version
        self.streams: Streams | None = streams_of(version)

    @cached_property
    def inputs(self) -> InputSchema:
        """What a prediction takes; raises ``Invalid`` where there is nothing to run."""
        self.check_has_code()
        if not self.version.input_schema:
            raise Invalid("This version can only be trained: its cog.yaml names nothing to run.")
        return InputSchema(self.version.openapi_schema)

    @cached_property
    def training_inputs(self) -> InputSchema:
        """What a training takes; the caller has checked that there may be one."""
        return InputSchema(self.version.openapi_schema, "TrainingInput")

    def inputs_for(self, kind: Kind) -> InputSchema:
        return self.inputs if kind == "prediction" else self.training_inputs

    def check_has_code(self) -> None:
        """Raises ``Invalid`` for a version that was imported."""
        if self.version.imported_from is not None:
            raise Invalid(NO_CODE.format(version=self.version))

    def check_trainable(self) -> None:
        """Raises ``Invalid`` where there is nothing to train."""
        self.check_has_code()
        if self.version.recipe.train is None or not self.version.training_schema:
            raise Invalid("This version cannot be trained: its cog.yaml names no train function.")


class KnownVersions:
    """A small least-recently-used cache over the store's versions."""

    def __init__(self, versions: Versions):
        self._versions = versions
        self._kept: dict[Key, Known] = {}

    async def get(self, id: str, *, model: str) -> Known | None:
        """The version of that model (``owner/name``); None where there is none."""
        return await self._get((id, model), lambda: self._versions.get(id, model=model))

    async def get_visible(self, id: str, *, account: str) -> Known | None:
        """The version by its id alone, if the account may see it."""
        return await self._get((id, f"@{account}"), lambda: self._versions.get_visible(id, account))

    async def _get(self, key: Key, find: Callable[[], Awaitable[Version | None]]) -> Known | None:
        known = self._kept.pop(key, None)
        if known is None:
            version = await find()
            if version is None:
                return None
            known = Known(version)
        if known.version.imported_from is not None:
            return known  # not kept: its code may come with the next push
        self._kept[key] = known
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return known

    def forget_account(self, account: str) -> None:
        """Must be called when an account may see less than before."""
        self._kept = {key: known for key, known in self._kept.items() if key[1] != f"@{account}"}

    def forget(self, id: str) -> None:
        """Must be called when a version is deleted."""
        self._kept = {key: known for key, known in self._kept.items() if key[0] != id}
