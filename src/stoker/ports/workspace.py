"""Where a version can be run from on this machine."""

from pathlib import Path
from typing import Protocol

import msgspec

from stoker.core.catalog import Version


class Place(msgspec.Struct, frozen=True):
    python: Path
    """The interpreter of the version's environment."""
    source: Path
    """The version's source tree, read-only."""
    home: Path | None = None
    """What the build's commands left in their home, if anything, read-only."""
    weights: Path | None = None
    """The weights that the version was trained to, if it was, read-only."""
    checkpoint: Path | None = None
    """The folder of the weights that the version names, if it does, read-only."""


class Workspace(Protocol):
    async def place(self, version: Version) -> Place:
        """Makes sure that environment and source are here (rebuilt where they were lost); may take minutes.

        Raises ``BuildFailed`` where they cannot be, and where a checkpoint is gone: that is not fetched
        again, as it may take hours.
        """
        ...

    async def sweep(
        self,
        versions: set[str],
        environments: set[str],
        checkpoints: set[str],
        *,
        environment_keep_s: float,
    ) -> int:
        """Removes the sources of other versions than these, other environments and checkpoints; how many.

        An environment stays until nobody has asked for it for that long. What somebody asked for within the
        last hour always stays: a build may be under way that nothing refers to yet.
        """
        ...
