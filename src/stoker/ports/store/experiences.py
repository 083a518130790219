"""What was learned of versions: how they boot and run. Written by the fleet, read at its start."""

from collections.abc import Mapping
from typing import Protocol

from stoker.core.experience import Experience


class Experiences(Protocol):
    async def all(self) -> dict[str, Experience]:
        """By version id; only of versions that still exist."""
        ...

    async def put(self, learned: Mapping[str, Experience]) -> None:
        """Replaces what was known of these versions. A power cut may take the latest back."""
        ...
