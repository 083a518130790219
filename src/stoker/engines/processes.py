"""The machine's processes: which belong to an instance, how one ended, and how to end them all.

Called by ``process`` and ``instance``, where it takes time in a thread. Linux only: it reads ``/proc``.
"""

import contextlib
import os
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

_PROC = Path("/proc")
_ROUNDS = 20
_DYING_MS = 2000

MARK_VARIABLE = "STOKER_INSTANCE"
"""In the environment of every process of an instance; inherited by those that the model starts."""


def ending(info: os.waitid_result, *, oom_kills: int) -> str:
    """How a process ended, in words; ``oom_kills`` is how many the kernel counted while it lived."""
    if info.si_code == os.CLD_EXITED:
        return f"exited with code {info.si_status}"
    name = signal.Signals(info.si_status).name
    if info.si_status == signal.SIGKILL:
        return f"killed by signal {name}" + (" (out of memory?)" if oom_kills > 0 else "")
    return f"killed by signal {name} ({(signal.strsignal(info.si_status) or 'unknown').lower()})"


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since it started, cgroups included."""
    with contextlib.suppress(OSError, ValueError):
        for line in (_PROC / "vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def belonging(
    is_marked: Callable[[str], bool],
    *,
    folder: Path,
    session: int | None = None,
    spared: frozenset[str] = frozenset(),
) -> set[int]:
    """The living processes that carry such a mark, work in the folder, or are of the session.

    Three signs, because a model may start processes in other sessions, with other environments, elsewhere.
    Processes with a mark in ``spared`` are left out.
    """
    found = set[int]()
    for pid in _all():
        marks = _marks(pid)
        if marks & spared or pid == os.getpid():
            continue
        if (
            any(map(is_marked, marks)) or _works_in(pid, folder) or _session(pid) == session
        ) and not _is_dead(pid):
            found.add(pid)
    return found


def end_all(find: Callable[[], set[int]]) -> int:
    """Kills what ``find`` gives, again and again until it finds nothing (they may be forking); how many."""
    ended = set[int]()
    for _ in range(_ROUNDS):
        found = find()
        if not found:
            break
        for pid in found:
            _end(pid)
        ended |= found
    return len(ended)


def _end(pid: int) -> None:
    """Kills a process and waits until it has died; not for its parent to collect it."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        poller.poll(_DYING_MS)
    except OSError:
        return
    finally:
        os.close(handle)


def _all() -> Iterator[int]:
    return (int(name) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208 - a hundred times a second


def _marks(pid: int) -> set[str]:
    """The values of our variable in the environment that the process was started with."""
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return set()
    prefix = f"{MARK_VARIABLE}=".encode()
    return {
        part.removeprefix(prefix).decode("utf-8", "replace")
        for part in environment.split(b"\0")
        if part.startswith(prefix)
    }


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return (_PROC / str(pid) / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _is_dead(pid: int) -> bool:
    """Whether it has ended and only waits to be collected by its parent."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
