"""What a command shows besides its result: state, progress and log lines, all on stderr.

On a terminal a line at the bottom moves (``live_screen``); in a pipe or a CI log there are plain lines
only, each written once. Results go to stdout, and not through here.
"""

import os
import sys
from typing import Protocol, Self

import click

from stoker.cli.terminal import text


class Screen(Protocol):
    """Safe to call from several threads."""

    def phase(self, words: str, *, total: int | None = None, done: int = 0, unit: str = "") -> None:
        """What goes on now; ``total`` makes it a bar. ``unit`` is ``bytes``, or goes behind the numbers."""
        ...

    def advance(self, amount: int) -> None: ...

    def line(self, words: str) -> None:
        """A line that stays: a log line, a warning."""
        ...

    def clear(self) -> None:
        """Takes the moving line away; the next phase brings it back."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_screen() -> Screen:
    """The screen that fits stderr."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from stoker.cli.terminal.live_screen import LiveScreen

        return LiveScreen()
    return PlainScreen()


class PlainScreen:
    """One line for each new phase; amounts are left out, as nobody watches them move."""

    def __init__(self) -> None:
        self._words = ""

    def phase(self, words: str, *, total: int | None = None, done: int = 0, unit: str = "") -> None:
        if words != self._words:
            self._words = words
            amount = f" ({text.size(total)})" if unit == "bytes" and total is not None else ""
            click.echo(f"{words}{amount}", err=True)

    def advance(self, amount: int) -> None:
        pass

    def line(self, words: str) -> None:
        click.echo(words, err=True)

    def clear(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
