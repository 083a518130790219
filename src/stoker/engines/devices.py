"""The machine's GPUs under numbers that stay, though one of them stops answering. Used by ``machine``.

The driver numbers those that it sees. When one falls off the bus it may number the others anew, once it is
asked afresh; so each is known by its UUID, and has the number that it had when the server started.
"""

import time
from collections.abc import Callable, Sequence

from stoker.host import gpus
from stoker.host.gpus import Gpu

AFRESH_S = 10.0
"""How often the driver is asked afresh while one is missing: that takes it tens of milliseconds."""


class Devices:
    """Nothing is asked of a driver that had nothing at the start."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic):
        self._now_s = now_s
        self._known = {gpu.uuid: gpu for gpu in gpus.present()}
        self._afresh_s = now_s()
        self._places = {gpu.index: gpu.index for gpu in self._known.values()}
        """The driver's own numbers of those that answer, by ours."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all that there were at the start."""
        return tuple(gpu.name for gpu in self._known.values())

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the same."""
        return tuple(gpu.index for gpu in self._known.values())

    def present(self) -> dict[int, Gpu]:
        """Those that answer, by their numbers."""
        if not self._known:
            return {}
        found = self._look()
        if len(found) < len(self._known) and self._now_s() - self._afresh_s >= AFRESH_S:
            self._afresh_s = self._now_s()
            gpus.ask_afresh()
            found = self._look()
        self._places = {number: gpu.index for number, gpu in found.items()}
        return found

    def lost(self) -> dict[int, str]:
        """The names of those that do not answer, by their numbers."""
        found = self.present()
        return {gpu.index: gpu.name for gpu in self._known.values() if gpu.index not in found}

    def visible(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """The driver's own numbers of these, as a process that starts now has to be told."""
        return tuple(self._places.get(number, number) for number in numbers)

    def _look(self) -> dict[int, Gpu]:
        return {self._known[gpu.uuid].index: gpu for gpu in gpus.present() if gpu.uuid in self._known}
