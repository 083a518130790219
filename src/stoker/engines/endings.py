"""How a process of an instance ended, in words. Called by ``instance``."""

import contextlib
import os
import signal
from pathlib import Path

_VMSTAT = Path("/proc/vmstat")
_NAMES = {known.value: known.name for known in signal.Signals}


def ending(info: os.waitid_result, *, oom_kills: int) -> str:
    """How a process ended, in words; ``oom_kills`` is how many the kernel counted while it lived."""
    if info.si_code == os.CLD_EXITED:
        return f"exited with code {info.si_status}"
    if info.si_status == signal.SIGKILL:
        return "killed by signal SIGKILL" + (" (out of memory?)" if oom_kills > 0 else "")
    words = (signal.strsignal(info.si_status) or "unknown").lower()
    return f"killed by signal {_NAMES.get(info.si_status, info.si_status)} ({words})"


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since it started, cgroups included."""
    with contextlib.suppress(OSError, ValueError):
        for line in _VMSTAT.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
