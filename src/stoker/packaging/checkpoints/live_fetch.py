"""A fetch as others see it while it goes on: one writer (``fetching``), any number of readers.

Unlike a build it keeps no list of what it told: a reader wants to know how far it is, not how far it was.
"""

import msgspec

from stoker.core.checkpoints import Fetch
from stoker.core.watched import Watched

_STEPS = 200
"""How often a whole fetch wakes its readers, about."""
_STEP_LIMIT_BYTES = 32 * 1024 * 1024


class LiveFetch(Watched):
    """``seen`` is its state, ``changes`` how often that has changed."""

    def __init__(self, fetch: Fetch):
        super().__init__()
        self.seen = fetch
        self.changes = 0
        self._told_bytes = 0

    @property
    def is_over(self) -> bool:
        return self.seen.status != "fetching"

    def begin(self, message: str, *, total_bytes: int | None = None, done_bytes: int = 0) -> None:
        """Something else goes on now."""
        self._told_bytes = done_bytes
        self._change(message=message, total_bytes=total_bytes, done_bytes=done_bytes)

    def advance(self, size_bytes: int) -> None:
        """So much more is done; negative where it has to be done again."""
        done = self.seen.done_bytes + size_bytes
        self.seen = msgspec.structs.replace(self.seen, done_bytes=done)
        step = min((self.seen.total_bytes or 0) // _STEPS, _STEP_LIMIT_BYTES)
        if abs(done - self._told_bytes) >= step:
            self._told_bytes = done
            self._change()

    def succeed(self, checkpoint: str, *, cached: bool) -> None:
        self._change(status="succeeded", checkpoint=checkpoint, cached=cached)

    def fail(self, error: str) -> None:
        self._change(status="failed", error=error)

    def _change(self, **fields: object) -> None:
        self.seen = msgspec.structs.replace(self.seen, **fields)
        self.changes += 1
        self.wake()
