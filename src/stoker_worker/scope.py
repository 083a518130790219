"""``cog.current_scope()`` and metrics, as the model sees them.

Installed by ``main`` in place of coglet's own scope, which is a no-op outside its server. The rules of names
and values, their order and their messages are those of section 6.5 of the Cog contract.
"""

from __future__ import annotations

import contextvars
import math
import string
from collections.abc import Callable
from typing import Any

from stoker_worker import sdk

_LONGEST_NAME = 128
_MOST_SEGMENTS = 4
_MODES = {None: "replace", "replace": "replace", "incr": "incr", "increment": "incr", "append": "append"}
_KINDS = (bool, int, float, str, list, dict)
_LETTERS = frozenset(string.ascii_letters)
_END = _LETTERS | frozenset(string.digits)
_INSIDE = _END | {"_"}

Tell = Callable[[str, Any, str], None]
"""Takes a metric's name, value and mode to the server."""


class Metrics:
    """``scope.metrics``."""

    def __init__(self, tell: Tell | None):
        self._tell = tell
        self._kinds: dict[str, str] = {}

    def record(self, key: str, value: Any, mode: str | None = None) -> None:
        if mode not in _MODES:
            raise TypeError(f"Invalid metric mode: '{mode}'. Expected 'replace', 'incr', or 'append'.")
        if self._tell is None:
            return
        _check_name(key)
        self._check_value(key, value, _MODES[mode])
        if isinstance(value, float) and not math.isfinite(value):
            self._tell(key, None, "delete")  # JSON has no NaN; Cog writes null, which makes the metric vanish
            return
        self._tell(key, value, _MODES[mode])

    def delete(self, key: str) -> None:
        if self._tell is None:
            return
        _check_name(key)
        self._kinds.pop(key, None)
        self._tell(key, None, "delete")

    def __setitem__(self, key: str, value: Any) -> None:
        if value is None:
            self.delete(key)
        else:
            self.record(key, value)

    def __delitem__(self, key: str) -> None:
        self.delete(key)

    def close(self) -> None:
        """The run has ended: from now on nothing is recorded."""
        self._tell = None

    def _check_value(self, key: str, value: Any, mode: str) -> None:
        kind = next((kind.__name__ for kind in _KINDS if isinstance(value, kind)), None)
        if kind is None:
            name = type(value).__name__
            raise TypeError(
                f"Unsupported metric value type: {name}. Expected bool, int, float, str, list, or dict."
            )
        known = self._kinds.get(key, kind)
        if known != kind:
            raise TypeError(f"Metric '{key}' has type {known}, cannot set to {kind} without deleting first")
        if mode == "incr" and kind not in ("int", "float"):
            raise TypeError(f"Increment mode requires int or float, got {kind}")
        self._kinds[key] = kind


class Scope:
    """What ``cog.current_scope()`` gives: that of the running prediction, or one that ignores everything."""

    def __init__(self, tell: Tell | None = None, context: dict[str, str] | None = None):
        self.metrics = Metrics(tell)
        self._context = context or {}

    @property
    def context(self) -> dict[str, str]:
        return dict(self._context)

    def record_metric(self, key: str, value: Any, mode: str | None = None) -> None:
        self.metrics.record(key, value, mode)


_OUTSIDE = Scope()
_of_task: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("stoker_scope", default=None)
_of_process: Scope | None = None


def current() -> Scope:
    """The scope of this task, else that of the process: threads of a synchronous run have no context."""
    return _of_task.get() or _of_process or _OUTSIDE


def enter_task(scope: Scope) -> None:
    """Of this asyncio task and those that it starts."""
    _of_task.set(scope)


def enter_process(scope: Scope | None) -> None:
    """Of every thread, for a worker that runs one prediction at a time."""
    global _of_process
    _of_process = scope


def install() -> None:
    """Makes Cog's SDK ask us: it looks this attribute up at each call. Never import ``coglet._sdk``."""
    sdk.prepare()
    import coglet  # type: ignore[import-untyped]

    coglet._sdk.current_scope = current  # type: ignore[attr-defined]


def _check_name(name: str) -> None:
    problem = _problem(name)
    if problem:
        raise ValueError(problem)


def _problem(name: str) -> str | None:
    if not name:
        return "metric name must not be empty"
    if name == "predict_time":
        return "'predict_time' is reserved by the runtime"
    if name.startswith("cog."):
        return "the 'cog.' prefix is reserved for system metrics"
    if len(name) > _LONGEST_NAME:
        return f"metric name must be {_LONGEST_NAME} characters or fewer (got {len(name)} characters)"
    if name.startswith("."):
        return "metric name must not start with a dot"
    if name.endswith("."):
        return "metric name must not end with a dot"
    segments = name.split(".")
    if "" in segments:
        return "metric name must not contain empty segments (consecutive dots)"
    if len(segments) > _MOST_SEGMENTS:
        return f"metric name must have at most {_MOST_SEGMENTS} dot-separated segments (got {len(segments)})"
    return next((problem for problem in map(_segment_problem, segments) if problem), None)


def _segment_problem(segment: str) -> str | None:
    if segment[0] not in _LETTERS:
        return f"metric name segment '{segment}' must start with a letter"
    for letter in segment:
        if letter not in _INSIDE:
            return f"metric name segment '{segment}' contains invalid character '{letter}'"
    if segment[-1] not in _END:
        return f"metric name segment '{segment}' must end with a letter or digit"
    if "__" in segment:
        return f"metric name segment '{segment}' must not contain consecutive underscores"
    return None
