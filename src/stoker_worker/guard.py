"""What keeps a worker from outliving its server or taking more than its share.

Called by ``main`` before the model is loaded, and by the inbox's watching thread when the server is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

from stoker_worker.config import INSTANCE_VARIABLE, Config

_PR_SET_PDEATHSIG = 1
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BLOCK_BYTES = 32 * 1024 * 1024
_LINE_BUFFERED = 1  # _IOLBF

_libc = ctypes.CDLL(None)
_own_pid = os.getpid()


def apply_limits(config: Config) -> None:
    """Limits this process and those that it starts.

    RLIMIT_DATA counts private writable memory, so weights mapped from a file and address space that a GPU
    driver merely reserves are not charged, as they would be by RLIMIT_AS.
    """
    wanted = {
        resource.RLIMIT_DATA: config.memory_limit_bytes,
        resource.RLIMIT_NOFILE: config.open_files_limit,
    }
    for limit, value in wanted.items():
        if value is None:
            continue
        _, hard = resource.getrlimit(limit)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (most, most))


def offer(more: int, *, than: int) -> None:
    """Where memory runs out the kernel takes this process before that one, by so much of its score."""
    with contextlib.suppress(OSError, ValueError):
        score = int(Path(f"/proc/{than}/oom_score_adj").read_text())
        Path("/proc/self/oom_score_adj").write_text(str(min(score + more, 1000)))


def die_with(parent: int) -> None:
    """Sees to it that this process ends soon after its parent, whatever it is doing.

    The watching thread ends the whole session at once when the socket closes. But it needs the interpreter's
    lock, which a model stuck in C code may never give back; so the kernel also sends SIGHUP, whose handler
    is libc's ``alarm`` itself: called with the signal's number, 1, it has SIGALRM end the process one second
    later. That second belongs to the watching thread, which reaches the model's child processes too.
    """
    _libc.signal(signal.SIGHUP, _libc.alarm)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was told to watch it
        end_session()


def end_if_forked() -> None:
    """Ends a copy of this process that the model has forked and let run on: only the original may speak."""
    if os.getpid() != _own_pid:
        os._exit(0)


def renew() -> None:
    """This process was forked from one that had imported this: from here on it is the original."""
    global _own_pid
    _own_pid = os.getpid()


def end_session() -> None:
    """Kills every process of this instance, this one last."""
    own, session = os.getpid(), os.getsid(0)
    mark = f"{INSTANCE_VARIABLE}={os.environ.get(INSTANCE_VARIABLE, '')}\0".encode()
    for pid in _processes():
        if pid != own and (_session_of(pid) == session or mark in _environment_of(pid)):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    os.kill(own, signal.SIGKILL)


def keep_freed_memory() -> None:
    """Has glibc keep blocks of up to 32 MiB that the model frees, 64 MiB in all, for its next run.

    Else each run's arrays and pictures are given back to the kernel and every page is taken anew: half a
    millisecond a megabyte on a virtual machine. glibc ends at the same figures by itself once a block of that
    size has been freed.
    """
    if hasattr(_libc, "mallopt"):  # other C libraries have no such knob
        _libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BLOCK_BYTES)
        _libc.mallopt(_M_TRIM_THRESHOLD, 2 * _KEPT_BLOCK_BYTES)


def line_buffer_c_output() -> None:
    """Has C's ``printf`` write whole lines at once, as it does on a terminal, not every 4 KiB."""
    stream = ctypes.c_void_p.in_dll(_libc, "stdout")
    _libc.setvbuf(stream, None, _LINE_BUFFERED, 0)


def flush_c_output() -> None:
    _libc.fflush(None)


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - names are enough


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _environment_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
