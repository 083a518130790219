"""Where the time of each boot went, stage by stage; the latest ones are kept in memory for people.

``Launch`` and ``Member`` tell a boot when it comes to its next stage; the API reads them. Decides nothing.
"""

from collections import deque
from typing import Literal

from stoker.core.catalog import Version
from stoker.core.scaling import Pool
from stoker.ports.engine import Start

Stage = Literal["queue", "environment", "process", "imports", "setup", "ready", "failed"]
"""Waiting for room; making environment and source; starting the process; loading the model's code; its
``setup``."""

MOST = 500


class Boot:
    """One instance's way from being wanted to its first finished run."""

    def __init__(self, *, instance: str, version: Version, pool: Pool, wanted_us: int, begun_us: int):
        self.instance = instance
        self.version = version
        self.pool = pool
        self.wanted_us = wanted_us
        """When somebody needed it; it then waited for room."""
        self.start: Start | None = None
        """None until there is a process."""
        self.stage: Stage = "queue"
        self.since_us = wanted_us
        """When it came to that stage."""
        self.took_us: dict[str, int] = {}
        """Of each stage that is over."""
        self.error: str | None = None
        self.reached("environment", begun_us)

    def reached(self, stage: Stage, now_us: int) -> None:
        """What it was at is over."""
        if self.stage in ("ready", "failed"):
            return
        self.took_us[self.stage] = now_us - self.since_us
        self.stage, self.since_us = stage, now_us

    def failed(self, error: str, now_us: int) -> None:
        """It ended before it was ready."""
        if self.stage not in ("ready", "failed"):
            self.reached("failed", now_us)
            self.error = error

    def ran(self, took_us: int) -> None:
        """A run has ended; only the first one counts."""
        self.took_us.setdefault("first_run", took_us)


class Boots:
    """The latest ones, newest last."""

    def __init__(self) -> None:
        self._kept: deque[Boot] = deque(maxlen=MOST)

    def add(self, boot: Boot) -> None:
        self._kept.append(boot)

    def latest(self, *, model: str | None = None) -> list[Boot]:
        """Newest first; those of one model (``owner/name``), or all."""
        return [boot for boot in reversed(self._kept) if model is None or boot.version.model == model]
