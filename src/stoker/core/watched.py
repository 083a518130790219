"""Something that changes while others look on. The live log of a prediction and that of a build are it.

Watchers are told that something changed and never what: they look for themselves, from where they have come
to, so that a slow one holds nobody up.
"""

from collections.abc import Callable

Waker = Callable[[], None]


class Watched:
    def __init__(self) -> None:
        self._wakers: set[Waker] = set()

    def subscribe(self, waker: Waker) -> None:
        """``waker`` is called (in the loop, must not block) after each change, until ``unsubscribe``."""
        self._wakers.add(waker)

    def unsubscribe(self, waker: Waker) -> None:
        self._wakers.discard(waker)

    def wake(self) -> None:
        """Something has changed; for whoever changes it."""
        for waker in tuple(self._wakers):
            waker()
