"""Main memory: what the machine or our control group has, what is available, and what processes take.

Linux only: reads ``/proc`` and ``/sys/fs/cgroup``.
"""

import functools
import os
from pathlib import Path

_PROC = Path("/proc")
_CGROUPS = (
    (Path("/sys/fs/cgroup"), "", ("memory.max", "memory.current", "inactive_file")),
    (
        Path("/sys/fs/cgroup/memory"),
        "memory",
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ),
)
"""Version 2, then version 1: where the groups are, what ``/proc/self/cgroup`` calls them, and the files with
limit, usage, and what of the usage is only cache."""
_SESSION = 3
"""Place of the session in ``/proc/PID/stat``, after the name in brackets."""


def total_bytes() -> int:
    """What there is: the machine's, or the control group's limit where that is less."""
    total = _meminfo("MemTotal:")
    limits = [limit for limit, _ in _groups()]
    return min([total, *limits])


def available_bytes() -> int:
    """What could be taken now without anything being pushed out but cache."""
    return min([_meminfo("MemAvailable:"), *(max(limit - used, 0) for limit, used in _groups())])


def taken_bytes(sessions: dict[int, str]) -> dict[str, tuple[int, list[int]]]:
    """For each session's name: what its processes take that is not backed by a file, and their ids."""
    found: dict[str, tuple[int, list[int]]] = {name: (0, []) for name in sessions.values()}
    for entry in os.listdir(_PROC):  # noqa: PTH208 - for every process of the machine
        if not entry.isdigit() or (name := sessions.get(_session(int(entry)))) is None:
            continue
        size, pids = found[name]
        found[name] = size + _anonymous_bytes(int(entry)), [*pids, int(entry)]
    return found


def own_bytes(pid: int) -> int:
    """What would be free without the process: what it shares with others, its forks above all, is not."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty:"))


def _groups() -> list[tuple[int, int]]:
    """Limit and usage of each control group that we are in and that has a limit."""
    found: list[tuple[int, int]] = []
    for folder, (limit, usage, cache) in _own_groups():
        try:
            most = (folder / limit).read_text().strip()
            used = int((folder / usage).read_text())
            stat = (folder / "memory.stat").read_text().split()
        except (OSError, ValueError):
            continue
        if most.isdigit():
            found.append(
                (int(most), used - int(dict(zip(stat[::2], stat[1::2], strict=False)).get(cache, 0)))
            )
    return found


@functools.cache
def _own_groups() -> tuple[tuple[Path, tuple[str, str, str]], ...]:
    """The folders of our own group and of those around it, as far as they are shown to us.

    In a container the outermost that is shown is the container's own.
    """
    found: list[tuple[Path, tuple[str, str, str]]] = []
    for line in (_PROC / "self" / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for root, name, files in _CGROUPS:
            if name in controllers.split(","):
                own = root / path.strip("/")
                folders = [own, *own.parents]
                around = folders[: folders.index(root) + 1]
                found += [(folder, files) for folder in around if (folder / files[0]).exists()]
    return tuple(found)


def _meminfo(field: str) -> int:
    for line in (_PROC / "meminfo").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


def _session(pid: int) -> int:
    try:
        return int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[_SESSION])
    except (OSError, ValueError, IndexError):
        return 0


def _anonymous_bytes(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
