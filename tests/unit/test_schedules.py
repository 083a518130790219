"""Schedules as people write them, and habits."""

from datetime import datetime, timedelta

import pytest

from stoker.core.errors import Invalid
from stoker.core.schedules import expected_hours_a_week, hours_a_week, is_expected, is_on, parse

MONDAY = datetime(2026, 11, 16)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("mon-fri 8-18", 50),
        ("daily 9-12:30,14-17", 45.5),
        ("sat, sun 10-12", 4),
        ("Friday-Monday 0-24", 96),
        ("sun 22-2", 4),
        ("mon 8-10; mon 9-11; ", 3),
    ],
)
def test_what_is_written(text: str, hours: float):
    assert hours_a_week(parse(text)) == hours


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "mon",
        "8-18",
        "mon 8-18 9-10",
        "noday 8-18",
        "mon 8",
        "mon 8-25",
        "mon 8:60-9",
        "mon 8-8",
        "x" * 501,
    ],
)
def test_what_is_no_schedule(text: str):
    with pytest.raises(Invalid):
        parse(text)


def test_it_is_on_between_its_hours():
    spans = parse("mon-fri 8-18:30; sun 22-2")
    for day, hour, minute, on in (
        (0, 7, 59, False),
        (0, 8, 0, True),
        (4, 18, 29, True),
        (4, 18, 30, False),
        (5, 12, 0, False),
        (6, 23, 0, True),
        (0, 1, 59, True),
        (0, 2, 0, False),
    ):
        assert is_on(spans, MONDAY + timedelta(days=day, hours=hour, minutes=minute)) is on, (day, hour)


def test_a_habit_is_every_second_day_of_the_kind():
    at = MONDAY + timedelta(hours=9, minutes=20)
    every_day = {MONDAY + timedelta(days=-n, hours=9) for n in range(1, 15)}
    assert is_expected(every_day, at)
    assert not is_expected(every_day, at + timedelta(hours=1))
    assert expected_hours_a_week(every_day, at) == 7
    weekends = {moment for moment in every_day if moment.weekday() >= 5}
    assert not is_expected(weekends, at)
    assert expected_hours_a_week(weekends, at) == 2
    five_of_ten = {MONDAY + timedelta(days=-n, hours=9) for n in (3, 4, 5, 6, 14)}
    assert is_expected(five_of_ten, at)
    assert not is_expected(five_of_ten - {MONDAY + timedelta(days=-5, hours=9)}, at)


def test_once_is_no_habit_and_what_is_long_ago_none_either():
    at = MONDAY + timedelta(days=1, hours=9)
    assert not is_expected({MONDAY + timedelta(hours=9)}, at)
    assert not is_expected({MONDAY + timedelta(days=-n, hours=9) for n in range(15, 40)}, at)
    assert not is_expected(set(), at)
    assert expected_hours_a_week(set(), at) == 0
