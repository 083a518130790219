"""Cancels a synchronous run: raises Cog's CancelationException in the main thread, in the model's code only.

A signal handler does it, because that also wakes ``time.sleep`` and other system calls at once. It raises
once per run, and never while this package's own code is at work: a frame that is half sent would break the
protocol, and a run that is over must not be hit by its late cancel.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from stoker_worker.sdk import cog

_SIGNAL = signal.SIGRTMIN + 3  # models and their libraries do use SIGUSR1


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
        self._cancelled.add(run)
        signal.pthread_kill(self._main, _SIGNAL)

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

    def _handle(self, *_: object) -> None:
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._in_model and not self._raised and self._run in self._cancelled:
            self._raised = True
            raise cog.CancelationException
