"""How a model's metrics add up (section 6.5 of the Cog contract); the worker has checked names and types."""

from typing import Any, Literal, cast

import msgspec

Mode = Literal["replace", "incr", "append", "delete"]


def record(metrics: dict[str, Any], name: str, value: Any, mode: Mode) -> None:
    """Applies one record in place. Dots nest: ``t.p`` is ``{"t": {"p": ...}}``.

    Never fails: a value that the mode does not fit gives way to the new one.
    """
    *parents, key = name.split(".")
    place = metrics
    for parent in parents:
        if not isinstance(place.get(parent), dict):
            if mode == "delete":
                return
            place[parent] = {}
        place = cast(dict[str, Any], place[parent])
    if mode == "delete":
        place.pop(key, None)
    elif mode == "incr":
        before = place.get(key, 0)
        place[key] = before + value if isinstance(before, int | float) else value
    elif mode == "append":
        before = place.get(key, [])
        place[key] = [*before, value] if isinstance(before, list) else [value]
    else:
        place[key] = value


class Metrics:
    """The metrics of one run, up to a limit in bytes of their JSON."""

    def __init__(self, values: dict[str, Any], *, limit_bytes: int):
        self._values = values
        self._limit_bytes = limit_bytes
        self._most_bytes = 0
        """They are no larger than this."""

    def record(self, name: str, value: Any, mode: Mode) -> bool:
        """Applies one record; False where there is no room, and then nothing has changed."""
        added_bytes = 0 if mode == "delete" else _name_bytes(name) + _value_bytes(value)
        if self._most_bytes + added_bytes > self._limit_bytes:
            # What replaced something did not add to it: only now is it worth looking.
            self._most_bytes = len(msgspec.json.encode(self._values))
            if self._most_bytes + added_bytes > self._limit_bytes:
                return False
        self._most_bytes += added_bytes
        record(self._values, name, value, mode)
        return True


def _name_bytes(name: str) -> int:
    """With what stands around it: a name's parts nest, each with quotes and a colon in braces of its own."""
    return len(name.encode()) + 8 * (1 + name.count("."))


def _value_bytes(value: Any) -> int:
    """A number may have more digits once others were added to it."""
    longest_number = 24 if isinstance(value, int | float) else 0
    return max(longest_number, len(msgspec.json.encode(value)) + 2)
