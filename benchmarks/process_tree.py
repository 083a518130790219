"""What a server and all the processes that it started take: CPU time and memory, from ``/proc`` (Linux), and
GPU memory, from the driver.

Called by the measures before and after a load; never starts or ends a process.
"""

import os
from pathlib import Path

from stoker.host import gpus

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _CPU = 1, slice(11, 15)
"""Places of the parent's id and the four CPU times in ``/proc/PID/stat``, after the name in brackets."""


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def members(root: int) -> list[int]:
    """The process and everything that descends from it, parents first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children.setdefault(int(stat[_PARENT]), []).append(int(entry.name))
    tree = [root]
    for pid in tree:
        tree.extend(children.get(pid, []))
    return tree


def cpu_s(root: int) -> float:
    """Seconds of CPU that the tree has used so far, children that have ended included."""
    stats = [stat for pid in members(root) if (stat := _stat(pid))]
    return sum(int(ticks) for stat in stats for ticks in stat[_CPU]) / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory of one process that is in RAM, shared pages included."""
    return _kilobytes(pid, "status", "VmRSS:") * 1024


def proportional_bytes(root: int) -> int:
    """Memory of the whole tree in RAM, shared pages counted once."""
    return sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in members(root)) * 1024


def gpu_bytes(root: int) -> int:
    """Memory of GPUs that the whole tree takes; 0 without any, or where the driver does not tell."""
    pids = members(root)
    return sum(gpu.taken_bytes.get(pid, 0) for gpu in gpus.present() for pid in pids)


def _kilobytes(pid: int, file: str, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(field)), 0)
