"""Runs the commands of builds: output line by line, a time limit, and nothing of the whole tree left behind.

Every process of a build carries ``STOKER_BUILD`` in its environment, so that those which leave their
process group are found as well, also by a server that starts after this one was killed.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from stoker.host.processes import belonging, end_all

MARK = "STOKER_BUILD"
LINE_LIMIT = 8192
_TAIL_LINES = 40
_CHUNK = 65536


class Outcome(msgspec.Struct, frozen=True):
    code: int
    """As ``Popen.returncode``; -9 where the time was over."""
    tail: tuple[str, ...]
    """The last lines that were written."""
    timed_out: bool = False


async def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    mark: str,
    timeout_s: float,
    on_line: Callable[[str], None] | None = None,
    pass_fds: Sequence[int] = (),
    line_limit: int = LINE_LIMIT,
) -> Outcome:
    """Runs to the end; however this is left (cancelled too), no process of it is alive afterwards."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    lines = _Lines(on_line or (lambda _line: None), line_limit)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        with os.fdopen(writing, "wb", buffering=0) as end:
            process = _start(command, cwd, {**env, MARK: mark}, end, pass_fds)
        try:
            timed_out = not await _exits(process, pipe, lines, timeout_s)
        finally:
            _kill_group(process.pid)
            process.wait()
            await asyncio.shield(asyncio.to_thread(kill_marked, mark))
        lines.finish(pipe)
    return Outcome(process.returncode, tuple(lines.tail), timed_out)


def _start(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], output: IO[bytes], pass_fds: Sequence[int]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        pass_fds=tuple(pass_fds),
    )


async def _exits(
    process: subprocess.Popen[bytes], pipe: IO[bytes], lines: "_Lines", timeout_s: float
) -> bool:
    """Reads output until the process ends; whether that was within the time.

    The end of the output is not awaited: something that the process left behind may hold the pipe open.
    """
    loop = asyncio.get_running_loop()

    def read() -> None:
        data = pipe.read(_CHUNK)
        if data:
            lines.feed(data)
        elif data is not None:
            loop.remove_reader(pipe.fileno())

    loop.add_reader(pipe.fileno(), read)
    try:
        await asyncio.wait_for(_wait(process), timeout_s)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(pipe.fileno())
    return True


async def _wait(process: subprocess.Popen[bytes]) -> None:
    if not hasattr(os, "pidfd_open"):
        await asyncio.to_thread(process.wait)
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    descriptor = os.pidfd_open(process.pid)
    loop.add_reader(descriptor, lambda: ended.done() or ended.set_result(None))
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_marked(mark: str) -> int:
    """Kills every process whose mark begins with ``mark``, and what they start meanwhile; how many."""
    return end_all(lambda: belonging(MARK, lambda found: found.startswith(mark)))


class _Lines:
    """Cuts bytes into lines; a carriage return ends one too (progress bars), an endless line is cut."""

    def __init__(self, on_line: Callable[[str], None], limit: int):
        self.tail: list[str] = []
        self._on_line = on_line
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        if len(self._rest) > self._limit:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._tell(line)

    def finish(self, pipe: IO[bytes]) -> None:
        """What was written just before the end; the writers are dead, so this reads without waiting."""
        while data := pipe.read(_CHUNK):
            self.feed(data)
        self._tell(self._rest)

    def _tell(self, line: bytes) -> None:
        text = line[: self._limit].decode(errors="replace").rstrip()
        if not text:
            return
        self.tail = [*self.tail[1 - _TAIL_LINES :], text]
        self._on_line(text)
