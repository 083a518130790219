"""How a model's metrics add up (section 6.5 of the Cog contract); the worker has checked names and types."""

from typing import Any, Literal, cast

Mode = Literal["replace", "incr", "append", "delete"]


def record(metrics: dict[str, Any], name: str, value: Any, mode: Mode) -> None:
    """Applies one record in place. Dots nest: ``t.p`` is ``{"t": {"p": ...}}``.

    Never fails: a value that the mode does not fit gives way to the new one.
    """
    *parents, key = name.split(".")
    place = metrics
    for parent in parents:
        if not isinstance(place.get(parent), dict):
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
