"""Starts the worker's process and holds the server's ends of what connects the two. Called by ``process``."""

import contextlib
import fcntl
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from stoker.engines.folders import Folders
from stoker_worker import bootstrap

_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1 << 20
_SOCKET_BYTES = 1 << 20


class Child(msgspec.Struct, frozen=True):
    """A worker's process: its session's leader, so its id is also that of the session and the group."""

    process: subprocess.Popen[bytes]
    socket: socket.socket
    """The server's end of the protocol; does not block."""
    pipe: int
    """The read end of what the process prints; does not block."""
    pidfd: int
    """Becomes readable when the process ends."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def close(self) -> None:
        self.socket.close()
        os.close(self.pipe)
        os.close(self.pidfd)


def spawn(python: Path, folders: Folders, *, variables: dict[str, str], config: dict[str, Any]) -> Child:
    """Starts the worker; raises OSError where it cannot be.

    To be called in the thread that lives as long as the server: the kernel's "my parent has died" means the
    thread that forked. It takes a millisecond or two (vfork), however large the server is.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    read_end, write_end = os.pipe()
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(ours.close)
        on_failure.callback(os.close, read_end)
        try:
            process = subprocess.Popen(
                bootstrap.command(python, "stoker_worker.main"),
                cwd=folders.src,
                env=variables | _for_worker(theirs.fileno(), config),
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        finally:
            theirs.close()
            os.close(write_end)
        on_failure.pop_all()
    _tune(ours, read_end)
    return Child(process=process, socket=ours, pipe=read_end, pidfd=os.pidfd_open(process.pid))


def _for_worker(descriptor: int, config: dict[str, Any]) -> dict[str, str]:
    return {
        "STOKER_WORKER_FD": str(descriptor),
        "STOKER_WORKER_CONFIG": msgspec.json.encode(config).decode(),
    }


def _tune(sock: socket.socket, pipe: int) -> None:
    """Room for what a model prints or yields between two turns of the server's loop."""
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
    os.set_blocking(pipe, False)
    with contextlib.suppress(OSError):  # the user's share of pipe memory may be used up
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, _PIPE_BYTES)
