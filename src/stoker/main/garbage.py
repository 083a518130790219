"""Python's search for garbage in cycles, at moments that disturb nobody. Used by ``server`` and ``loops``.

Left to itself it walks over all that the server holds whenever that has grown by a quarter: with a hundred
thousand predictions in line the event loop stands still for more than a second each time, and finds nothing,
for a prediction leaves no cycle behind. So what is there when the server is ready is left out for good, the
young are looked at as ever, and everything only while little is held, or when it has not been for long.
"""

import gc
from collections.abc import Sized

FEW = 1000
"""Predictions that are not over: with those a look at everything takes some milliseconds."""
LONG_US = 3_600_000_000
NEVER = 1_000_000_000


def settle() -> None:
    """What is held now stays, and a look at everything comes only when it is asked for."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)


class Garbage:
    def __init__(self, held: Sized):
        """``held`` are the predictions that are not over."""
        self._held = held
        self._looked_us = 0

    def step(self, now_us: int) -> None:
        if len(self._held) < FEW or now_us - self._looked_us >= LONG_US:
            self._looked_us = now_us
            gc.collect()
