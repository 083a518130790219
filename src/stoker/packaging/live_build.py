"""The event list of a build: one writer (the builder), any number of readers, each from where it likes.

A reader takes ``events`` from its last number on and is woken by each change. The list is bounded: when a
build has said a lot, only the beginning and the last part of each stage are kept.
"""

from collections import deque

import msgspec

from stoker.core.builds import STAGES, Build, BuildEvent, Stage
from stoker.core.watched import Watched

_LOG_LIMIT_BYTES = 1024 * 1024
_TAIL_LIMIT_BYTES = 64 * 1024


class LiveBuild(Watched):
    """A build and what it told. ``seen`` is its state; ``is_over`` once there will be no more events."""

    def __init__(self, build: Build):
        super().__init__()
        self.seen = build
        self.events: list[BuildEvent] = []
        self._logged_bytes = 0
        self._tail: deque[str] = deque()
        self._tail_bytes = 0
        self._left_out = 0

    # -- reading -----------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        return self.seen.status != "building"

    # -- writing (the builder only) ----------------------------------------------------------------

    def progress(self, stage: Stage, message: str) -> None:
        """The stage begins; those before it are done."""
        self._flush_tail()
        data = {"stage": stage, "message": message, "done": STAGES.index(stage), "total": len(STAGES)}
        self._add(BuildEvent("progress", data))

    def log(self, line: str) -> None:
        size = len(line)
        if self._logged_bytes + size <= _LOG_LIMIT_BYTES:
            self._logged_bytes += size
            self._add(BuildEvent("log", line + "\n"))
            return
        self._tail.append(line)
        self._tail_bytes += size
        while self._tail_bytes > _TAIL_LIMIT_BYTES:
            self._tail_bytes -= len(self._tail.popleft())
            self._left_out += 1

    def warn(self, message: str) -> None:
        self.seen = msgspec.structs.replace(self.seen, warnings=(*self.seen.warnings, message))
        self._add(BuildEvent("warning", {"message": message}))

    def succeed(self, version: str, *, cached: bool) -> None:
        self._flush_tail()
        self.seen = msgspec.structs.replace(self.seen, status="succeeded", version=version)
        self._add(BuildEvent("done", {"version": version, "cached": cached}))

    def fail(self, error: str) -> None:
        self._flush_tail()
        self.seen = msgspec.structs.replace(self.seen, status="failed", error=error)
        self._add(BuildEvent("error", {"detail": error}))

    def _flush_tail(self) -> None:
        if not self._tail:
            return
        left_out = [f"[{self._left_out} lines left out]"] if self._left_out else []
        self._add(BuildEvent("log", "\n".join([*left_out, *self._tail]) + "\n"))
        self._tail.clear()
        self._tail_bytes = self._left_out = 0

    def _add(self, event: BuildEvent) -> None:
        self.events.append(event)
        self.wake()
