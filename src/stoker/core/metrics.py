"""How a model's metrics add up (section 6.5 of the Cog contract); the worker has checked names and types."""

from typing import Any, Literal, cast

Mode = Literal["replace", "incr", "append", "delete"]


def record(metrics: dict[str, Any], name: str, value: Any, mode: Mode) -> None:
    """Applies one record in place. Dots nest: ``t.p`` is ``{"t": {"p": ...}}``; other values give way."""
    *parents, key = name.split(".")
    place = metrics
    for parent in parents:
        if not isinstance(place.get(parent), dict):
            place[parent] = {}
        place = cast(dict[str, Any], place[parent])
    if mode == "delete":
        place.pop(key, None)
    elif mode == "incr":
        place[key] = place.get(key, 0) + value
    elif mode == "append":
        place.setdefault(key, []).append(value)
    else:
        place[key] = value
