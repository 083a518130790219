"""Times as people write them on a command line: ``90s``, ``30m``, ``12h``, ``30d``."""

import re
from typing import Any

import click

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(click.ParamType):
    """Seconds; also ``never`` where that has a meaning."""

    name = "time"

    def __init__(self, *, never: bool = False):
        self._never = never

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, int) or (self._never and value == "never"):
            return value
        found = re.fullmatch(r"(\d{1,9})([smhd])", str(value))
        if found is None:
            words = ", 30d or never" if self._never else " or 30d"
            self.fail(f"{value!r} is no time; write it like 90s, 30m, 12h{words}.", param, ctx)
        return int(found[1]) * UNITS_S[found[2]]


def in_words(amount_s: float) -> str:
    """As one would write it, in the largest unit that it is a whole number of: ``7d``, ``90s``."""
    for unit, unit_s in reversed(UNITS_S.items()):
        if amount_s >= unit_s and amount_s % unit_s == 0:
            return f"{amount_s / unit_s:g}{unit}"
    return f"{amount_s:g}s"
