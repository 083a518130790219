"""A question to something that may never answer, asked in a thread of its own. Used of the GPU driver.

Whoever wants to know takes the last answer and waits for nothing. While a question has no answer no other is
asked: there is at most one thread, however long it hangs, and it does not keep the process from ending.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Inquiry(Generic[Answer]):
    """The same question, again and again; asked for by one thread alone, the event loop's."""

    def __init__(
        self,
        question: Callable[[], Answer],
        *,
        fresh_s: float,
        patience_s: float,
        now_s: Callable[[], float] = time.monotonic,
    ):
        """An answer is asked for anew ``fresh_s`` after the last one was; it may take ``patience_s``."""
        self.number = 0
        """Which answer ``latest`` gave last: the same number is the same answer."""
        self._answered: tuple[int, Answer | None] = (0, None)
        """How many answers there were, and the last one: together, for another thread puts them there."""
        self._question = question
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._now_s = now_s
        self._asked_s = 0.0
        self._settled = threading.Event()
        self._settled.set()

    @property
    def last(self) -> Answer | None:
        """What was answered last, however long ago; None before the first time, and where asking failed."""
        return self._answered[1]

    def latest(self) -> Answer | None:
        """The last answer, and asks for the next; None while there is none within the time."""
        since_s = self._now_s() - self._asked_s
        is_settled = self._settled.is_set()
        if is_settled and since_s >= self._fresh_s:
            self.ask()
        self.number, last = self._answered
        return last if is_settled or since_s < self._patience_s else None

    def ask(self) -> None:
        """Begins to ask, unless that is under way."""
        if not self._settled.is_set():
            return
        self._settled.clear()
        self._asked_s = self._now_s()
        try:
            threading.Thread(target=self._find_out, name="inquiry", daemon=True).start()
        except RuntimeError:  # there is no room for one more thread
            self._answer(None)

    def wait(self, within_s: float) -> bool:
        """Whether what is being asked was answered within the time."""
        return self._settled.wait(within_s)

    def _find_out(self) -> None:
        try:
            answer = self._question()
        except Exception:  # the edge of the thread: whatever it was, the next time may be better
            log.exception("a question about this machine failed")
            answer = None
        self._answer(answer)

    def _answer(self, answer: Answer | None) -> None:
        self._answered = (self._answered[0] + 1, answer)
        self._settled.set()
