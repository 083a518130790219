"""What this machine has to give to instances, and what of it is free."""

from collections.abc import Sequence
from typing import Protocol

from stoker.core.placement import Machine


class Host(Protocol):
    def look(self) -> Machine:
        """What there is now. Takes well under a millisecond and waits for nothing: every placement asks."""
        ...

    @property
    def disk_is_full(self) -> bool:
        """Whether what is left is kept for what has begun already. Some microseconds: every create asks."""
        ...

    def troubles(self) -> list[str]:
        """What is wrong with it now, a sentence each, for people."""
        ...

    @property
    def has_gpus(self) -> bool:
        """Whether there is a driver that tells of GPUs, or could; else nobody here may hide any."""
        ...

    def visible(self, gpus: Sequence[int]) -> tuple[int, ...]:
        """The numbers by which a process that starts now finds these GPUs."""
        ...

    def threads(self, gpus: int) -> int:
        """The share of the cores of an instance with so many GPUs.

        Of one without: half the cores, so that two busy ones do not fight. A model with as many threads as
        cores that others use too was measured at a sixteenth of its speed.
        """
        ...
