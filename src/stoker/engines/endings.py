"""How a process of an instance ended, in words. Called by ``instance``."""

import contextlib
import os
import signal
from pathlib import Path

_VMSTAT = Path("/proc/vmstat")
_NAMES = {known.value: known.name for known in signal.Signals}


class OomKills:
    """How many processes the kernel killed of late for want of memory, control groups included.

    It does not say which, so only those of the last two looks count: one that is killed from outside a day
    after another ran out of memory has not run out of it.
    """

    def __init__(self) -> None:
        self._before = self._last = _count()

    def look(self) -> None:
        """To be called regularly."""
        self._before, self._last = self._last, _count()

    def any_since(self, count: int) -> bool:
        """Whether there were any lately, and after that count."""
        return _count() > max(self._before, count)

    def count(self) -> int:
        return _count()


def ending(info: os.waitid_result, *, out_of_memory: bool) -> str:
    """How a process ended, in words; ``out_of_memory`` is whether the kernel killed any for that lately."""
    if info.si_code == os.CLD_EXITED:
        return f"exited with code {info.si_status}"
    if info.si_status == signal.SIGKILL:
        return "killed by signal SIGKILL" + (" (out of memory)" if out_of_memory else "")
    words = (signal.strsignal(info.si_status) or "unknown").lower()
    return f"killed by signal {_NAMES.get(info.si_status, info.si_status)} ({words})"


def _count() -> int:
    """Since the kernel started."""
    with contextlib.suppress(OSError, ValueError):
        for line in _VMSTAT.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
