"""When something is to be on: hours of the week as people write them, and hours learned from use. Pure.

``mon-fri 8-18``, ``daily 9-12:30,14-17; sat 22-2``: rules apart by ``;``, each with days and hours. All
moments here are naive, in the time zone that the caller means.
"""

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import NamedTuple

from stoker.core.errors import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
LONGEST = 500
LEARNED_DAYS = 14
LEAST_DAYS = 2
"""Once is no habit."""

_HOURS = re.compile(r"(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?")
_HELP = 'Write it like "mon-fri 8-18" or "daily 9-12:30,14-17; sat 10-12".'


class Span(NamedTuple):
    """Minutes since Monday 0:00; the end is not in it, and may be in the next week."""

    start: int
    end: int


def parse(text: str) -> tuple[Span, ...]:
    """The spans of a schedule. Raises ``Invalid``, and says how it is written."""
    if len(text) > LONGEST:
        raise Invalid(f"A schedule has at most {LONGEST} characters.")
    spans: list[Span] = []
    for rule in filter(None, (rule.strip().lower() for rule in text.split(";"))):
        words = re.sub(r"\s*([,-])\s*", r"\1", rule).split()
        if len(words) != 2:
            raise Invalid(f'The schedule "{rule}" needs days and hours. {_HELP}')
        spans += [_span(day, hours) for day in _days(words[0]) for hours in words[1].split(",")]
    if not spans:
        raise Invalid(f"The schedule is empty. {_HELP}")
    return tuple(sorted(set(spans)))


def is_on(spans: Collection[Span], at: datetime) -> bool:
    minute = at.weekday() * DAY_MINUTES + at.hour * 60 + at.minute
    return any(span.start <= m < span.end for span in spans for m in (minute, minute + WEEK_MINUTES))


def hours_a_week(spans: Collection[Span]) -> float:
    """How long it is on; what overlaps counts once."""
    on = {minute % WEEK_MINUTES for span in spans for minute in range(*span)}
    return len(on) / 60


def is_expected(used: Collection[datetime], at: datetime) -> bool:
    """Whether use in that hour is a habit.

    ``used`` are the beginnings of the hours with any use. It is one where in the last two weeks, as far as
    use is known, every second day or more of the same kind (Monday to Friday, or the weekend) had use then.
    """
    days = _days_before(used, at.date())
    hits = sum(datetime(day.year, day.month, day.day, at.hour) in used for day in days)
    return len(days) >= LEAST_DAYS and hits * 2 >= len(days)


def expected_hours_a_week(used: Collection[datetime], at: datetime) -> float:
    """In how many hours of the coming week use is expected, by what is known now."""
    kinds = [at.date() + timedelta(days=number) for number in range(7)]
    today = at.date()
    weekday = next(day for day in kinds if day.weekday() < 5)
    weekend = next(day for day in kinds if day.weekday() >= 5)
    total = 0
    for day, times in ((weekday, 5), (weekend, 2)):
        days = [one for one in _since(used, today) if (one.weekday() < 5) == (day.weekday() < 5)]
        for hour in range(24):
            hits = sum(datetime(one.year, one.month, one.day, hour) in used for one in days)
            total += times * (len(days) >= LEAST_DAYS and hits * 2 >= len(days))
    return float(total)


def _days_before(used: Collection[datetime], today: date) -> list[date]:
    """The days of the same kind that are known."""
    return [day for day in _since(used, today) if (day.weekday() < 5) == (today.weekday() < 5)]


def _since(used: Collection[datetime], today: date) -> list[date]:
    """Of the last two weeks, the days from the first known use on."""
    first = min((moment.date() for moment in used), default=today)
    days = (today - timedelta(days=number) for number in range(1, LEARNED_DAYS + 1))
    return [day for day in days if day >= first]


def _days(text: str) -> list[int]:
    if text == "daily":
        return list(range(7))
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        ends = [_day(first), _day(last) if dash else _day(first)]
        found += [(ends[0] + number) % 7 for number in range((ends[1] - ends[0]) % 7 + 1)]
    return found


def _day(text: str) -> int:
    short = text[:3]
    if short not in DAYS:
        raise Invalid(f'"{text}" is no day. {_HELP}')
    return DAYS.index(short)


def _span(day: int, text: str) -> Span:
    match = _HOURS.fullmatch(text)
    start, end = (_minutes(*match.group(1, 2)), _minutes(*match.group(3, 4))) if match else (-1, -1)
    if not (0 <= start < DAY_MINUTES and 0 <= end <= DAY_MINUTES and start != end):
        raise Invalid(f'"{text}" are no hours. {_HELP}')
    if end < start:  # past midnight
        end += DAY_MINUTES
    return Span(day * DAY_MINUTES + start, day * DAY_MINUTES + end)


def _minutes(hours: str, minutes: str | None) -> int:
    return int(hours) * 60 + int(minutes or 0) if int(minutes or 0) < 60 else -1
