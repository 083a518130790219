"""The model's own health check, and what its answer means (section 6.10 of the Cog contract).

Only True is healthy: a check that forgets to return, or that answers 0 or "no", is a check that failed.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

from stoker_worker import failure, late

LIMIT_S = 5.0
LATE = f"Healthcheck failed: user-defined healthcheck timed out after {LIMIT_S} seconds"

Check = Callable[[], Any]


def verdict(answer: Any) -> str | None:
    """None is healthy."""
    if answer is True:
        return None
    missing = "" if answer is False else ", not True or False"
    return f"Healthcheck failed: user-defined healthcheck returned {answer!r:.100}{missing}"


def problem(error: BaseException) -> str:
    return f"Healthcheck failed: {type(error).__name__}: {failure.words(error)}"


class ThreadedHealth:
    """Checks in a thread of its own, beside a prediction; one at a time."""

    def __init__(self, check: Check | None, tell: Callable[[str | None], None]):
        self._check = check
        self._tell = tell
        self._running: threading.Thread | None = None

    def ask(self) -> None:
        """``tell`` follows, at once or within the time limit; from any thread."""
        if self._check is None:
            self._tell(None)
        elif self._running is not None and self._running.is_alive():
            self._tell(LATE)
        else:
            threading.Thread(target=self._supervise, name="stoker-health", daemon=True).start()

    def _supervise(self) -> None:
        answers: list[str | None] = []
        thread = threading.Thread(target=self._answer, args=(answers,), name="healthcheck", daemon=True)
        self._running = thread
        thread.start()
        thread.join(LIMIT_S)
        self._tell(answers[0] if answers else LATE)

    def _answer(self, answers: list[str | None]) -> None:
        assert self._check is not None
        try:
            answer = self._check()
            if inspect.isawaitable(answer):
                answer = late.get("stoker_worker.loop_health", "run_alone")(answer)
            answers.append(verdict(answer))
        except BaseException as error:  # noqa: BLE001 - the model's code
            failure.log(error)
            answers.append(problem(error))
