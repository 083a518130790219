"""Protection against duplicates: a client's automatic repetition of a POST gets the first one's prediction.

The Python 2 client repeats creates after a time-out (section 7.2 of the HTTP contract) and says so in
``x-stainless-retry-count``. In memory only: after a restart a repetition is a new prediction.
"""

import hashlib

WINDOW_US = 180 * 1_000_000
MOST_KEPT = 4096

Key = tuple[str, str, bytes]


def key(token_id: str, path: str, body: bytes) -> Key:
    """What makes two requests the same."""
    return token_id, path, hashlib.sha256(body).digest()


class Retries:
    def __init__(self) -> None:
        self._kept: dict[Key, tuple[int, str]] = {}

    def remember(self, key: Key, prediction_id: str, *, now_us: int) -> None:
        """Notes which prediction the request led to; the oldest notes make room."""
        self._kept.pop(key, None)
        self._kept[key] = (now_us, prediction_id)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    def find(self, key: Key, *, now_us: int) -> str | None:
        """The id of the prediction of the same request, if it came within the last three minutes."""
        noted_us, prediction_id = self._kept.get(key, (0, None))
        return prediction_id if now_us - noted_us <= WINDOW_US else None
