"""Cancels a synchronous run: raises Cog's CancelationException in the main thread, in the model's code only.

A signal handler does it, because that also wakes ``time.sleep`` and other system calls at once. It raises
once per run, and never while this package's own code is at work: a frame that is half sent would break the
protocol, and a run that is over must not be hit by its late cancel.

One signal is not enough: Python's handlers run between two steps of Python, so the call that the main thread
was just about to make when the signal came is made all the same, and is not woken. So the signal comes again,
less and less often, until the run has been interrupted or is over.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from stoker_worker.sdk import cog

_SIGNAL = signal.SIGRTMIN + 3  # models and their libraries do use SIGUSR1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 1.0


class Interrupt:
    """Made in the main thread."""

    def __init__(self) -> None:
        self._main = threading.get_ident()
        self._run = 0
        self._cancelled: set[int] = set()
        self._raised = False
        self._in_model = False
        signal.signal(_SIGNAL, self._handle)

    def cancel(self, run: int) -> None:
        """From any thread: that run, running or about to, is to stop."""
        if run in self._cancelled:
            return
        self._cancelled.add(run)
        signal.pthread_kill(self._main, _SIGNAL)
        with contextlib.suppress(RuntimeError):  # no room for one more thread: the first has to do
            threading.Thread(target=self._insist, args=(run,), name="stoker-cancel", daemon=True).start()

    def begin(self, run: int) -> None:
        self._run = run
        self._raised = False
        self._in_model = False

    def end(self) -> None:
        self._in_model = False
        self._cancelled.discard(self._run)
        self._run = 0

    @property
    def is_cancelled(self) -> bool:
        """Whether the present run has been cancelled, whatever the model made of it."""
        return self._run in self._cancelled

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Calls the model's code; may raise CancelationException."""
        try:
            self._in_model = True
            self._raise_if_due()
            return function(*args, **kwargs)
        finally:
            self._in_model = False

    def pause(self) -> bool:
        """The model has called into this package: nothing is raised before ``resume``."""
        if not self._in_model or threading.get_ident() != self._main:
            return False
        self._in_model = False
        return True

    def resume(self, paused: bool) -> None:
        """``paused`` is what ``pause`` gave."""
        if paused:
            self._in_model = True
            self._raise_if_due()

    def _insist(self, run: int) -> None:
        """A run that is about to begin needs no signal: it looks whether it is cancelled when it does."""
        pause_s = _FIRST_PAUSE_S
        time.sleep(pause_s)
        while self._run == run and not self._raised:
            signal.pthread_kill(self._main, _SIGNAL)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            time.sleep(pause_s)

    def _handle(self, *_: object) -> None:
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._in_model and not self._raised and self._run in self._cancelled:
            self._raised = True
            raise cog.CancelationException
