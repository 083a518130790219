from typing import Any

from stoker.core.metrics import record


def test_modes():
    metrics: dict[str, Any] = {}
    record(metrics, "tokens", 1, "replace")
    record(metrics, "tokens", 2, "incr")
    record(metrics, "steps", 1, "append")
    record(metrics, "steps", 2, "append")
    record(metrics, "gone", 1, "replace")
    record(metrics, "gone", None, "delete")
    record(metrics, "never", None, "delete")
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
