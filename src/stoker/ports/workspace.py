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


class Workspace(Protocol):
    async def place(self, version: Version) -> Place:
        """Makes sure that environment and source are here (rebuilt where they were lost); may take minutes.

        Raises ``BuildFailed`` where they cannot be.
        """
        ...
