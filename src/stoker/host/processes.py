"""The machine's processes: which carry a mark of ours, and how to end them all.

Called by ``engines`` and ``packaging``, in a thread where it takes time. Linux only: it reads ``/proc``.
A mark is the value of a variable in the environment that a process was started with. Whatever it starts
inherits it, so what was left behind can be found, also by a server that comes after a killed one.
"""

import os
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

_PROC = Path("/proc")
_ROUNDS = 20
"""A process that cannot die (it waits for a disk) must not hold the server up."""
_DYING_MS = 2000


def belonging(
    variable: str,
    is_ours: Callable[[str], bool],
    *,
    folder: Path | None = None,
    session: int | None = None,
    spared: frozenset[str] = frozenset(),
) -> set[int]:
    """The living processes that carry such a mark, work in the folder, or are of the session.

    Three signs, because a process may start others in other sessions, with other environments, elsewhere.
    Processes with a mark in ``spared`` are left out.
    """
    found = set[int]()
    for pid in _all():
        marks = _marks(pid, variable)
        if marks & spared or pid == os.getpid():
            continue
        if (any(map(is_ours, marks)) or _works_in(pid, folder) or _is_of(pid, session)) and not _is_dead(pid):
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


def _marks(pid: int, variable: str) -> set[str]:
    """The values of the variable in the environment that the process was started with."""
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return set()
    prefix = f"{variable}=".encode()
    return {
        part.removeprefix(prefix).decode("utf-8", "replace")
        for part in environment.split(b"\0")
        if part.startswith(prefix)
    }


def _works_in(pid: int, folder: Path | None) -> bool:
    if folder is None:
        return False
    try:
        return (_PROC / str(pid) / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


def _is_of(pid: int, session: int | None) -> bool:
    if session is None:
        return False
    try:
        return os.getsid(pid) == session
    except OSError:
        return False


def _is_dead(pid: int) -> bool:
    """Whether it has ended and only waits to be collected by its parent."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
