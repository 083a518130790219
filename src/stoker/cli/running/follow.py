"""Watches a prediction until it ends: its state on the screen, its logs above, its tokens to a sink.

Used by run and by ``predictions logs -f``. A server that is away for a moment is waited for.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from stoker.cli.running import waits
from stoker.cli.server import events
from stoker.cli.server.client import PATIENCE_S, Api
from stoker.cli.terminal.screen import Screen

Prediction = dict[str, Any]

FINAL = frozenset({"succeeded", "failed", "canceled", "aborted"})

_WAITING = "Waiting for the model to start"
_PERCENT = re.compile(r"(\d{1,3})%\|")
"""How tqdm writes progress; the model's own bar becomes ours."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.5


class Watch:
    """Shows what is new each time it is given the prediction. Two threads may give it."""

    def __init__(self, api: Api, screen: Screen, *, before_line: Callable[[], None] = lambda: None):
        self._api = api
        self._screen = screen
        self._before_line = before_line
        self._shown = 0
        self._waits = _WAITING
        self._cause: tuple[str, str] | None = None
        self._looks = 0
        self._hushed = False
        self._lock = threading.Lock()

    def take(self, prediction: Prediction) -> None:
        final = prediction["status"] in FINAL
        words = "" if final or self._hushed else self._words(prediction)
        with self._lock:
            logs = prediction.get("logs") or ""
            whole = max(self._shown, len(logs) if final else logs.rfind("\n") + 1)
            if words and not self._hushed:
                self._show(words, unfinished_line=logs[whole:])
            for line in log_lines(logs[self._shown : whole]):
                self._before_line()
                self._screen.line(line)
            self._shown = whole

    def hush(self) -> None:
        """Tokens take the terminal from here on: log lines still come, the moving line does not."""
        with self._lock:
            self._hushed = True
            self._screen.clear()

    def _show(self, words: str, *, unfinished_line: str) -> None:
        if percents := _PERCENT.findall(unfinished_line):
            self._screen.phase(words, total=100, done=int(percents[-1]), unit=" %")
        else:
            self._screen.phase(words)

    def _words(self, prediction: Prediction) -> str:
        """What goes on. The server is asked why it waits from the second look on: most start before that.

        The words stay as they are while the reason is the same, so that a pipe gets a line for each.
        """
        if prediction["status"] != "starting":
            return "Running"
        self._looks += 1
        wait = waits.wait_of(self._api, prediction["id"]) if self._looks > 1 else None
        if wait is not None and waits.cause(wait) != self._cause:
            self._cause, self._waits = waits.cause(wait), waits.words(wait)
        return self._waits


def log_lines(logs: str) -> list[str]:
    """The lines as a terminal would leave them: of what a progress bar overwrote, the last state."""
    lines = logs.removesuffix("\n").split("\n") if logs else []
    return [line.rstrip("\r").rpartition("\r")[2] for line in lines]


def wait(api: Api, prediction: Prediction, take: Callable[[Prediction], None]) -> Prediction:
    """The prediction once it has ended; ``take`` gets each state of it that was seen."""
    pause_s = _FIRST_PAUSE_S
    take(prediction)
    while prediction["status"] not in FINAL:
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.4, _LONGEST_PAUSE_S)
        prediction = api.get(f"/predictions/{prediction['id']}", patience_s=PATIENCE_S)
        take(prediction)
    return prediction


def stream(api: Api, prediction: Prediction, watch: Watch, write: Callable[[str], None]) -> Prediction:
    """Like ``wait``, with each piece of the output written as it comes."""
    url = api.near(prediction["urls"]["stream"], public_base=public_base(prediction))
    with _logs_meanwhile(api, prediction, watch):
        for event in events.follow(api, url, last=frozenset({"done"})):
            if event.kind == "output":
                write(event.data)
    # What it was waiting for, or that it runs, is old by now.
    watch.hush()
    return wait(api, api.get(f"/predictions/{prediction['id']}", patience_s=PATIENCE_S), watch.take)


def public_base(prediction: Prediction) -> str:
    """The address that the server calls its own."""
    return prediction["urls"]["get"].partition("/v1/predictions/")[0]


@contextmanager
def _logs_meanwhile(api: Api, prediction: Prediction, watch: Watch) -> Iterator[None]:
    stop = threading.Event()

    def poll() -> None:
        watch.take(prediction)
        while not stop.wait(_LONGEST_PAUSE_S):
            try:
                watch.take(api.get(f"/predictions/{prediction['id']}"))
            except click.ClickException:
                continue  # the stream itself says what is wrong, and logs come with the next answer

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
