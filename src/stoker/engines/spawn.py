"""Starts the worker's process and holds the server's ends of what connects the two.

Called by ``process``; ``forking`` connects its forks with the same ends.
"""

import contextlib
import fcntl
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from stoker.engines.folders import Folders
from stoker.ports.engine import Start
from stoker_worker import bootstrap

FD_VARIABLE = "STOKER_WORKER_FD"
CONFIG_VARIABLE = "STOKER_WORKER_CONFIG"

_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1 << 20
_SOCKET_BYTES = 1 << 20


class Child(msgspec.Struct, frozen=True):
    """A worker's process: its session's leader, so its id is also that of the session and the group."""

    pid: int
    process: subprocess.Popen[bytes] | None
    """None for a forked one, which is a child of ours all the same."""
    socket: socket.socket
    """The server's end of the protocol; does not block."""
    pipe: int
    """The read end of what the process prints; does not block."""
    pidfd: int
    """Becomes readable when the process ends."""

    @property
    def began(self) -> Start:
        return "forked" if self.process is None else "plain"

    def collect(self) -> None:
        """Gives its id back to the kernel; it has ended."""
        if self.process is not None:
            self.process.wait()
            return
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def close(self) -> None:
        self.socket.close()
        os.close(self.pipe)
        os.close(self.pidfd)


class Ends(msgspec.Struct, frozen=True):
    """Both ends of what is to connect a worker with the server."""

    ours: socket.socket
    theirs: socket.socket
    read_end: int
    write_end: int

    def child(self, pid: int, process: subprocess.Popen[bytes] | None = None) -> Child:
        """The server's side of the process that got the other ends."""
        _tune(self.ours, self.read_end)
        return Child(pid=pid, process=process, socket=self.ours, pipe=self.read_end, pidfd=os.pidfd_open(pid))


@contextlib.contextmanager
def ends() -> Iterator[Ends]:
    """New ones. Theirs are closed in the end, ours where something goes wrong."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    read_end, write_end = os.pipe()
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(ours.close)
        on_failure.callback(os.close, read_end)
        try:
            yield Ends(ours, theirs, read_end, write_end)
        finally:
            theirs.close()
            os.close(write_end)
        on_failure.pop_all()


def spawn(python: Path, folders: Folders, *, variables: dict[str, str], config: dict[str, Any]) -> Child:
    """Starts the worker plainly; raises OSError where it cannot be.

    To be called in the thread that lives as long as the server: the kernel's "my parent has died" means the
    thread that forked. It takes a millisecond or two (vfork), however large the server is.
    """
    with ends() as both:
        descriptor = both.theirs.fileno()
        process = subprocess.Popen(
            bootstrap.command(python, "stoker_worker.main"),
            cwd=folders.src,
            env=variables
            | {FD_VARIABLE: str(descriptor), CONFIG_VARIABLE: msgspec.json.encode(config).decode()},
            stdin=subprocess.DEVNULL,
            stdout=both.write_end,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[descriptor],
        )
        return both.child(process.pid, process)


def _tune(sock: socket.socket, pipe: int) -> None:
    """Room for what a model prints or yields between two turns of the server's loop."""
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
    os.set_blocking(pipe, False)
    with contextlib.suppress(OSError):  # the user's share of pipe memory may be used up
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, _PIPE_BYTES)
