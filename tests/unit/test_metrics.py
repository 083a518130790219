from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.metrics import Metrics, record


def test_modes():
    metrics: dict[str, Any] = {}
    record(metrics, "tokens", 1, "replace")
    record(metrics, "tokens", 2, "incr")
    record(metrics, "steps", 1, "append")
    record(metrics, "steps", 2, "append")
    record(metrics, "gone", 1, "replace")
    record(metrics, "gone", None, "delete")
    record(metrics, "never", None, "delete")
    record(metrics, "never.was", None, "delete")
    assert metrics == {"tokens": 3, "steps": [1, 2]}


def test_dots_nest_and_other_values_give_way():
    metrics: dict[str, Any] = {"t": 1}
    record(metrics, "t.p.q", 1, "replace")
    record(metrics, "t.p.r", 2, "incr")
    assert metrics == {"t": {"p": {"q": 1, "r": 2}}}


def test_a_value_that_the_mode_does_not_fit_gives_way():
    """Whatever a model records, the server goes on."""
    metrics: dict[str, Any] = {}
    record(metrics, "m", 1, "append")
    record(metrics, "m", 2, "incr")
    assert metrics == {"m": 2}
    record(metrics, "m", 3, "append")
    assert metrics == {"m": [3]}
    record(metrics, "m.n", 1, "incr")
    assert metrics == {"m": {"n": 1}}


def test_what_does_not_fit_is_left_out_and_changes_nothing():
    values: dict[str, Any] = {}
    metrics = Metrics(values, limit_bytes=100)
    assert metrics.record("loss", 0.5, "replace")
    assert not metrics.record("note", "x" * 100, "replace")
    for n in range(100):
        assert metrics.record("loss", n, "replace"), "what is replaced takes no room"
    assert not all(metrics.record("steps", n, "append") for n in range(100))
    assert metrics.record("steps", None, "delete")
    assert metrics.record("note", "x" * 10, "replace")
    assert values == {"loss": 99, "note": "x" * 10}


NAMES = st.from_regex(r"\A[a-z]{1,3}(\.[a-z]{1,3}){0,3}\Z")
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e300, 1e300)
RECORDS = st.tuples(NAMES, NUMBERS | st.text(max_size=30), st.sampled_from(["replace", "append", "delete"]))
ADDED = st.tuples(NAMES, NUMBERS, st.just("incr"))


@settings(max_examples=50, deadline=None)
@given(st.lists(RECORDS | ADDED, max_size=30))
def test_they_never_outgrow_the_limit(records: list[tuple[str, Any, Any]]):
    values: dict[str, Any] = {}
    metrics = Metrics(values, limit_bytes=200)
    for name, value, mode in records:
        metrics.record(name, value, mode)
        assert len(msgspec.json.encode(values)) <= 200
