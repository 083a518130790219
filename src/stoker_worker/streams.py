"""``sys.stdout`` and ``sys.stderr`` of the model. Set up by ``main`` before the model is loaded.

With one slot both are ordinary line-buffered files over descriptors 1 and 2, so that the model, its C code
and its child processes write to one place in order. With several slots they are ``RunStream``s, which know
by a context variable whose output they are given.
"""

from __future__ import annotations

import contextvars
import io
import sys
from collections.abc import Callable, Iterable
from typing import Any

_LONGEST_PIECE = 65_536


class Log:
    """Where the text of one run goes; one for each run of a worker with several slots."""

    def __init__(self, tell: Callable[[str], None]):
        self._tell: Callable[[str], None] | None = tell
        self._lines: dict[str, list[str]] = {}

    @property
    def is_open(self) -> bool:
        return self._tell is not None

    def write(self, stream: str, text: str) -> None:
        """Takes text of stdout or stderr; whole lines leave at once, as from a terminal."""
        waiting = self._lines.setdefault(stream, [])
        line_end = text.rfind("\n") + 1
        if line_end:
            waiting.append(text[:line_end])
            self.flush(stream)
        if line_end < len(text):
            self._lines.setdefault(stream, []).append(text[line_end:])

    def flush(self, stream: str) -> None:
        waiting = self._lines.pop(stream, None)
        tell = self._tell
        if not waiting or tell is None:
            return
        text = "".join(waiting)
        for start in range(0, len(text), _LONGEST_PIECE):
            tell(text[start : start + _LONGEST_PIECE])

    def close(self) -> None:
        """The run has ended: unfinished lines leave, later text goes to the instance's log."""
        for stream in tuple(self._lines):
            self.flush(stream)
        self._tell = None


_current: contextvars.ContextVar[Log | None] = contextvars.ContextVar("stoker_log", default=None)


def enter(log: Log) -> None:
    """What this asyncio task, and what it starts, prints from now on belongs to that run."""
    _current.set(log)


class RunStream(io.TextIOBase):
    """A text stream that gives what it is given to the current run's log, else to the descriptor."""

    def __init__(self, name: str, plain: io.TextIOWrapper):
        self.name = name
        self._plain = plain
        self._buffer = _RunBytes(self)

    def write(self, s: str, /) -> int:
        log = _current.get()
        if log is None or not log.is_open:
            return self._plain.write(s)
        if not isinstance(s, str):
            raise TypeError(f"write() argument must be str, not {type(s).__name__}")
        log.write(self.name, s)
        return len(s)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        log = _current.get()
        if log is None or not log.is_open:
            self._plain.flush()
        else:
            log.flush(self.name)

    def close(self) -> None:
        """Stays open: other runs print through it."""

    def fileno(self) -> int:
        return self._plain.fileno()

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def reconfigure(self, **_: Any) -> None:
        """Accepted and ignored: encoding and line ends are those of the protocol."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "backslashreplace"

    @property
    def mode(self) -> str:
        return "w"

    @property
    def line_buffering(self) -> bool:
        return True

    @property
    def buffer(self) -> io.BufferedIOBase:
        return self._buffer


class _RunBytes(io.BufferedIOBase):
    """``sys.stdout.buffer``: bytes are text of the same stream."""

    def __init__(self, stream: RunStream):
        self._stream = stream

    def write(self, data: Any, /) -> int:
        octets = bytes(data)
        self._stream.write(octets.decode("utf-8", "backslashreplace"))
        return len(octets)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """Stays open, as its stream does."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()


_plain: list[Any] = []


def install(slots: int) -> None:
    """Replaces ``sys.stdout`` and ``sys.stderr``; PYTHONUNBUFFERED would have each word written alone."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        plain = open(  # noqa: SIM115 - open for as long as the process
            descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", newline="\n", closefd=False
        )
        _plain.append(plain)
        setattr(sys, name, plain if slots == 1 else RunStream(f"<{name}>", plain))


def flush() -> None:
    """Writes out what is in the streams; also where the model has put others in their place."""
    for stream in (*_plain, sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed or replaced by the model: nothing to save
            continue
