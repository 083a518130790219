"""One fork server, seen from ours: started, asked for forks, dropped. Used by ``servers``.

What it answers is believed only as far as a plain start would do instead: whatever is late, odd or missing
ends it.
"""

import asyncio
import contextlib
import logging
import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable
from importlib.machinery import BYTECODE_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path
from typing import Any

import msgspec

from stoker.engines.folders import Folders
from stoker.engines.forking.plans import Plan, at_import
from stoker.engines.spawn import CONFIG_VARIABLE, FD_VARIABLE, Child, Ends, ends
from stoker_worker import bootstrap

OWN_FOLDER = "/proc/self/fd/200"
"""Where the fork server and each of its forks have their own folder open; a test holds the two together."""
IMPORTS_S = 120.0
"""How long the imports may take: they were seen to work in less by a plain start."""
ANSWER_S = 2.0
"""A fork takes some milliseconds; whoever waits for it could be starting plainly."""
ENDING_S = 2.0
"""What lies between the end of its connection and its own, at most."""
_PACKET_BYTES = 1 << 18
_MODULES = {*SOURCE_SUFFIXES, *BYTECODE_SUFFIXES, ".so"}

log = logging.getLogger(__name__)


class _Answer(msgspec.Struct):
    ready: bool = False
    modules: list[str] = []
    pid: int | None = None
    refused: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode


class ForkServer:
    """``ended`` is called once, with the reason, when it is of no use any more."""

    def __init__(self, plan: Plan, folders: Folders, *, mark: tuple[str, str], ended: Callable[[str], None]):
        self.plan = plan
        self.modules: frozenset[str] | None = None
        """The names at the top of what it has imported; None until it is ready."""
        self.folders = folders
        self.is_suspect = False
        """Whether it ended because something about it was wrong."""
        self._is_lost = False
        """Whether it has ended by itself, or been ended, and not by us."""
        self._ended: Callable[[str], None] | None = ended
        self._loop = asyncio.get_running_loop()
        self._answers: list[asyncio.Future[_Answer]] = []
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = _spawn(plan, folders, theirs, mark)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        self._socket = ours
        ours.setblocking(False)
        self._deadline = self._loop.call_later(IMPORTS_S, self._distrust, "its imports took too long")
        self._loop.add_reader(ours.fileno(), self._on_packet)

    async def fork(self, *, folders: Folders, variables: dict[str, str], config: dict[str, Any]) -> Child:
        """A worker that has begun to work, child of our own process. Raises OSError where none came of it."""
        with ends() as both:
            child = await self._forked(both, folders, variables=variables, config=config)
            both.theirs.close()  # so that the worker's end is the end of the connection
            try:
                await _heard(child.socket)
            except BaseException:
                os.close(child.pidfd)
                _end(child.pid)
                raise
            return child

    async def _forked(
        self, ends: Ends, folders: Folders, *, variables: dict[str, str], config: dict[str, Any]
    ) -> Child:
        request = msgspec.json.encode(
            {
                "cwd": str(folders.src),
                "folder": str(folders.root),
                "variables": {**variables, CONFIG_VARIABLE: msgspec.json.encode(config).decode()},
            }
        )
        folder = os.open(folders.root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            socket.send_fds(self._socket, [request], [ends.theirs.fileno(), ends.write_end, folder])
        except (BrokenPipeError, ConnectionResetError):
            self._lose()
            raise
        finally:
            os.close(folder)
        answer = await self._answered()
        if answer.pid is None:
            raise OSError(answer.refused or "it gave no answer that means anything")
        return ends.child(answer.pid)

    def _distrust(self, reason: str) -> None:
        self.is_suspect = True
        self.drop(reason)

    def drop(self, reason: str) -> None:
        """Ends it; what was forked from it lives on."""
        if (ended := self._ended) is None:
            return
        self._ended = None
        self._deadline.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        if not self._is_lost:
            self._process.kill()
        for answer in self._answers:
            if not answer.done():
                answer.set_result(_Answer(refused=reason))
        ended(reason)

    def judge(self) -> None:
        """Looks how it ended, where it was not we who ended it: who was killed has done nothing wrong.

        For a thread. It keeps its process id until it is collected.
        """
        if self._is_lost:
            self.is_suspect = not self._was_killed()

    def collect(self) -> None:
        """Waits for its end, in a thread."""
        self._process.wait()

    def _was_killed(self) -> bool:
        fd = os.pidfd_open(self.pid)
        try:
            end = select.poll()
            end.register(fd, select.POLLIN)
            if not end.poll(ENDING_S * 1000):
                return False
        finally:
            os.close(fd)
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        return ended is not None and (ended.si_code, ended.si_status) == (os.CLD_KILLED, signal.SIGKILL)

    def _lose(self) -> None:
        """Its end of the connection is closed: it has ended, and how is seen when it is collected."""
        self._is_lost = self._ended is not None
        self.drop("it ended")

    async def _answered(self) -> _Answer:
        answer = self._loop.create_future()
        self._answers.append(answer)
        late = self._loop.call_later(ANSWER_S, self._distrust, "it did not answer in time")
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            answer.add_done_callback(_disown)
            raise
        finally:
            late.cancel()

    def _on_packet(self) -> None:
        try:
            answer = _decode(self._socket.recv(_PACKET_BYTES))
        except BlockingIOError:
            return
        except (OSError, msgspec.MsgspecError):  # no bytes are no JSON either
            self._lose()
            return
        if self.modules is None:
            self._take_ready(answer)
        elif self._answers:
            self._answers.pop(0).set_result(answer)
        if answer.refused is not None:
            self._distrust(answer.refused)

    def _take_ready(self, answer: _Answer) -> None:
        if answer.ready:
            self._deadline.cancel()
            self.modules = frozenset(answer.modules)
            log.info("fork server of %s is ready", self.plan.python.parent.parent.name)


def _disown(answer: asyncio.Future[_Answer]) -> None:
    """Whoever asked for this fork has gone."""
    pid = answer.result().pid
    if pid is not None:
        _end(pid)


def _end(pid: int) -> None:
    """Of a child that nobody looks after; it dies at once."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _spawn(
    plan: Plan, folders: Folders, sock: socket.socket, mark: tuple[str, str]
) -> subprocess.Popen[bytes]:
    """Starts its process; as a worker's, in the thread that lives as long as we do."""
    config = {
        "imports": plan.imports,
        "slots": 2 if plan.shares_output else 1,
        "folder": str(folders.root),
        "parent": os.getpid(),
    }
    variable, value = mark
    return subprocess.Popen(
        bootstrap.command(plan.python, "stoker_worker.fork_server"),
        cwd=folders.src,
        env={
            **at_import(plan, folder=OWN_FOLDER),
            variable: value,
            FD_VARIABLE: str(sock.fileno()),
            CONFIG_VARIABLE: msgspec.json.encode(config).decode(),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[sock.fileno()],
    )


async def _heard(sock: socket.socket) -> None:
    """Waits until a forked worker tells its first stage, some milliseconds; OSError where it does not."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(sock.fileno(), readable.set)
    try:
        await asyncio.wait_for(readable.wait(), ANSWER_S)
    except TimeoutError:
        raise OSError("a fork of it did not speak in time") from None
    finally:
        loop.remove_reader(sock.fileno())
    if not sock.recv(1, socket.MSG_PEEK):
        raise OSError("a fork of it ended before it spoke")


def shadowed(source: Path, modules: frozenset[str]) -> bool:
    """Whether the model has itself a module of a name that was imported from elsewhere.

    Not every file is one: each project has a ``cog.yaml``.
    """
    return any(
        entry.name.partition(".")[0] in modules and (entry.is_dir() or entry.suffix in _MODULES)
        for entry in source.iterdir()
    )
