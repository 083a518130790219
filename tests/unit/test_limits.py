"""Token buckets: never more than the limit, never less, and no penalty for asking too soon."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stoker.core.limits import MINUTE_US, Limit, is_loopback, per_minute

START_US = 1_780_000_000_000_000

limits = some.integers(1, 100_000)
gaps = some.lists(some.integers(0, 5_000_000), min_size=1, max_size=200)


@given(limits, gaps)
def test_never_more_than_a_full_bucket_and_what_has_flowed_in(a_minute: int, gaps: list[int]):
    limit, full_us, now_us, accepted = Limit(a_minute), 0, START_US, 0
    for gap in gaps:
        now_us += gap
        verdict = limit.take(full_us, now_us)
        full_us = verdict.full_us
        accepted += verdict.accepted
        assert accepted <= a_minute + (now_us - START_US) * a_minute / MINUTE_US


@given(some.integers(1, 300))
def test_a_minutes_worth_passes_at_once_and_counts_down(a_minute: int):
    limit, full_us = Limit(a_minute), 0
    for left in reversed(range(a_minute)):
        verdict = limit.take(full_us, START_US)
        assert (verdict.accepted, verdict.remaining) == (True, left)
        full_us = verdict.full_us
    assert not limit.take(full_us, START_US).accepted


@given(limits, some.lists(some.integers(0, 10_000), max_size=50))
def test_gotcha_27_refused_requests_do_not_push_the_reset_away(a_minute: int, tries: list[int]):
    limit = Limit(a_minute)
    emptied = START_US + limit.span_us
    now_us, last_s = START_US, 10**9
    for gap in tries:
        now_us += gap
        verdict = limit.take(emptied, now_us)
        if verdict.accepted:
            break
        assert verdict.full_us == emptied
        assert 1 <= verdict.reset_s <= last_s
        last_s = verdict.reset_s
    first = limit.take(emptied, START_US)
    assert limit.take(emptied, START_US + first.reset_s * 1_000_000).accepted, (
        "coming back when told is enough"
    )


@given(limits, gaps)
def test_the_answer_says_when_the_bucket_is_full_again(a_minute: int, gaps: list[int]):
    limit, full_us, now_us = Limit(a_minute), 0, START_US
    for gap in gaps:
        now_us += gap
        verdict = limit.take(full_us, now_us)
        full_us = verdict.full_us
        if verdict.accepted:
            later = limit.take(full_us, now_us + verdict.reset_s * 1_000_000)
            assert later.remaining == a_minute - 1


def test_as_recorded():
    """Section 1: 2999 and 1 after the first request of 3000 a minute."""
    verdict = Limit(3000).take(0, START_US)
    assert (verdict.remaining, verdict.reset_s) == (2999, 1)


def test_a_limit_is_at_least_one():
    with pytest.raises(ValueError, match="at least one"):
        Limit(0)


@pytest.mark.parametrize(
    ("host", "given", "limit"),
    [
        ("127.0.0.1", None, 0),
        ("127.8.8.8", None, 0),
        ("::1", None, 0),
        ("localhost", None, 0),
        ("0.0.0.0", None, 600),
        ("models.example", None, 600),
        ("127.0.0.1", 5, 5),
        ("0.0.0.0", 0, 0),
    ],
)
def test_the_default_is_off_for_this_machine_alone(host: str, given: int | None, limit: int):
    assert per_minute(given, 600, host=host) == limit
    assert is_loopback(host) is (per_minute(None, 600, host=host) == 0)
