"""The machine's GPUs under numbers that stay, though one of them stops answering. Used by ``machine``.

The driver numbers those that it sees. When one falls off the bus it may number the others anew, once it is
asked afresh; so each is known by its UUID, and has the number that it had when the server started. A driver
may also hang, for seconds or for good: what is told here is what it answered last.
"""

import time
from collections.abc import Callable, Collection, Sequence

from stoker.host import gpus
from stoker.host.gpus import Gpu
from stoker.host.inquiry import Inquiry

FIRST_WITHIN_S = 20.0
"""How long the start waits for the driver, which may have to wake up a whole machine's GPUs."""
FRESH_S = 0.2
PATIENCE_S = 10.0
"""How long the driver may take; asked afresh, it may need some seconds."""
AFRESH_S = 10.0
"""How often the driver is asked afresh while one is missing: that takes it tens of milliseconds."""


class Devices:
    """Nothing is asked of a driver that had nothing at the start. Only being made waits, and not for long."""

    def __init__(
        self, *, first_within_s: float = FIRST_WITHIN_S, now_s: Callable[[], float] = time.monotonic
    ):
        self._now_s = now_s
        self._known: dict[str, Gpu] = {}
        self._afresh_s = now_s()
        self._inquiry = Inquiry(self._ask, fresh_s=FRESH_S, patience_s=PATIENCE_S, now_s=now_s)
        self._inquiry.ask()
        self.never_answered = not self._inquiry.wait(first_within_s) or self._inquiry.last is None
        """Whether nobody knows what there was at the start."""
        self.is_silent = self.never_answered
        """Whether the driver gave no answer when it was looked at last; one that never did stays silent."""
        if not self.never_answered:
            self._known = {gpu.uuid: gpu for gpu in self._inquiry.last or ()}
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

    @property
    def answer(self) -> int:
        """Which answer of the driver ``present`` told last: it may tell the same one many times."""
        return self._inquiry.number

    def present(self) -> dict[int, Gpu]:
        """Those that answer, by their numbers."""
        if not self._known:
            return {}
        answer = self._inquiry.latest()
        self.is_silent = answer is None
        found = {self._known[gpu.uuid].index: gpu for gpu in answer or () if gpu.uuid in self._known}
        self._places |= {number: gpu.index for number, gpu in found.items()}
        return found

    def lost(self) -> dict[int, str]:
        """The names of those that do not answer, by their numbers."""
        found = self.present()
        return {gpu.index: gpu.name for gpu in self._known.values() if gpu.index not in found}

    def visible(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """The driver's own numbers of these, as a process that starts now has to be told."""
        return tuple(self._places.get(number, number) for number in numbers)

    def taken_bytes(self, pids: Collection[int]) -> int:
        """What these processes were last seen to take on the GPU where they take most."""
        seen = self._inquiry.last if self._known else None
        return max((sum(gpu.taken_bytes.get(pid, 0) for pid in pids) for gpu in seen or ()), default=0)

    def _ask(self) -> list[Gpu]:
        """Runs in a thread of its own, once at a time."""
        found = gpus.present()
        missing = self._known.keys() - {gpu.uuid for gpu in found}
        if missing and self._now_s() - self._afresh_s >= AFRESH_S:
            self._afresh_s = self._now_s()
            gpus.ask_afresh()
            found = gpus.present()
        return found
