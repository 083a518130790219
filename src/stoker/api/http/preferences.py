"""What a create's headers ask for: how long to wait and when to give up (sections 5.5 and 7.2)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from stoker.core.errors import FieldProblem, InputInvalid

MOST_S = 60
HOLD_S = 57.0
"""The longest that we hold a request: the Python 2 client posts again after 60 seconds."""
READ_MARGIN_S = 2.0
SHORTEST_LIFE_S = 5
LONGEST_LIFE_S = 24 * 3600

_WAIT = re.compile(r"^wait(?:=([1-9][0-9]{0,8}))?$")
_SPAN = re.compile(r"^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s?)?$")


class Wait(NamedTuple):
    applied: str
    """For ``Preference-Applied``."""
    hold_s: float


def wait(headers: Mapping[str, str]) -> Wait | None:
    """The wait that ``Prefer`` asks for, clamped; None without one (malformed ones are ignored)."""
    prefer = headers.get("prefer")
    if prefer is None:
        return None
    for part in prefer.split(","):
        found = _WAIT.match(part.strip())
        if found:
            return _clamped(found[1], headers.get("x-stainless-read-timeout"))
    return None


def _clamped(seconds: str | None, read_timeout: str | None) -> Wait:
    asked_s = min(int(seconds), MOST_S) if seconds else None
    hold_s = min(asked_s or MOST_S, HOLD_S)
    if read_timeout is not None and re.fullmatch(r"\d+(\.\d+)?", read_timeout):
        hold_s = max(0.0, min(hold_s, float(read_timeout) - READ_MARGIN_S))
    return Wait(f"wait={asked_s}" if asked_s else "wait", hold_s)


def deadline_us(headers: Mapping[str, str], created_us: int) -> int | None:
    """When ``Cancel-After`` ends the prediction; raises ``InputInvalid`` where it cannot be read."""
    text = headers.get("cancel-after")
    if text is None:
        return None
    found = _SPAN.match(text.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    life_s = hours * 3600 + minutes * 60 + seconds
    if not SHORTEST_LIFE_S <= life_s <= LONGEST_LIFE_S:
        raise InputInvalid(
            [
                FieldProblem(
                    "invalid", "Cancel-After", "Must be between 5 seconds and 24 hours, like 90s or 1h30m"
                )
            ]
        )
    return created_us + life_s * 1_000_000
