"""The screen for a terminal: a spinner, the words, and a bar where the amount is known.

Made by ``screen.open_screen`` alone, so that nobody else pays for the import of rich.
"""

from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from stoker.cli.terminal import text


class LiveScreen:
    """Log lines scroll by above the moving line."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress: Progress | None = None
        self._words = ""

    def phase(self, words: str, *, total: int | None = None, done: int = 0, unit: str = "") -> None:
        if self._progress is None:
            self._progress = self._started()
        elif words == self._words and total is not None:
            self._progress.update(self._progress.task_ids[0], total=total, completed=done)
            return
        elif words == self._words:
            return
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._words = words
        self._progress.add_task(words, total=total, completed=done, unit=unit)

    def advance(self, amount: int) -> None:
        if self._progress is not None:
            self._progress.advance(self._progress.task_ids[0], amount)

    def line(self, words: str) -> None:
        self._console.print(Text.from_ansi(words), soft_wrap=True)

    def clear(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def _started(self) -> Progress:
        # stdout stays what it is: results go there, and they are not ours to redraw.
        progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            _Bar(bar_width=30),
            _Amount(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        progress.start()
        return progress


class _Bar(BarColumn):
    """A bar, but nothing where there is no amount to show."""

    def render(self, task: Task):  # type: ignore[override]  # rich says ProgressBar; any renderable is drawn
        return Text("") if task.total is None else super().render(task)


class _Amount(ProgressColumn):
    """``1.2 MB of 4.0 MB``, ``3/4``."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("")
        if task.fields["unit"] == "bytes":
            return Text(f"{text.size(task.completed)} of {text.size(task.total)}")
        return Text(f"{task.completed:.0f}/{task.total:.0f}{task.fields['unit']}")
