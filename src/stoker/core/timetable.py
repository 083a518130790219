"""Whose moment has come, of many, without a look at all of them. Pure; used by ``runtime.overdue``."""

import heapq

SPARE = 64
"""So many dead entries are nothing to clear away for."""


class Timetable:
    """One moment for each id. All takes constant time, or the logarithm of how many there are."""

    def __init__(self) -> None:
        self._moments: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        """The earliest first; an entry whose moment is no longer its id's is dead."""

    def __len__(self) -> int:
        return len(self._moments)

    def put(self, id: str, at_us: int) -> None:
        """Its moment is this one from now on."""
        self._moments[id] = at_us
        heapq.heappush(self._heap, (at_us, id))
        self._clear()

    def drop(self, id: str) -> None:
        """It has none any more."""
        if self._moments.pop(id, None) is not None:
            self._clear()

    def due(self, now_us: int, *, most: int) -> list[str]:
        """Those whose moment has come, the earliest first and so many at most; they have none any more."""
        found: list[str] = []
        while self._heap and self._heap[0][0] <= now_us and len(found) < most:
            at_us, id = heapq.heappop(self._heap)
            if self._moments.get(id) == at_us:
                del self._moments[id]
                found.append(id)
        return found

    def _clear(self) -> None:
        """Most end long before their moment; their entries would pile up until then.

        Those that come first go one by one, for most end in the order of their moments, too: to make all anew
        takes tens of milliseconds where there are many.
        """
        for _ in range(2):
            if self._heap and self._moments.get(self._heap[0][1]) != self._heap[0][0]:
                heapq.heappop(self._heap)
        if len(self._heap) > 2 * len(self._moments) + SPARE:
            self._heap = [(at_us, id) for id, at_us in self._moments.items()]
            heapq.heapify(self._heap)
