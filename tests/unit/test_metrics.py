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
