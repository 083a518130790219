"""Metrics, and the rules of their names and values."""

from typing import Any

import pytest

from stoker_worker.scope import Scope
from tests.worker.workbench import Workbench


async def test_metrics_reach_the_server(bench: Workbench) -> None:
    started = await bench.start("measures.py:Measures")
    record = await started.succeed(user="me")
    assert record.output == {"context": {"user": "me"}}
    assert record.metrics == [
        ("tokens", 1, "replace"),
        ("tokens", 2, "incr"),
        ("time.first", 0.5, "replace"),
        ("list", "a", "append"),
        ("gone", "x", "replace"),
        ("gone", None, "delete"),
        ("gone", 5, "replace"),
        ("gone", None, "delete"),
        ("nan", None, "delete"),
        ("thread", True, "replace"),
    ]


async def test_the_deprecated_spelling(bench: Workbench) -> None:
    assert (await (await bench.start("measures.py:emits")).succeed()).metrics == [("emitted", 1.5, "replace")]


async def test_a_scope_ends_with_its_run(bench: Workbench) -> None:
    started = await bench.start("measures.py:keeps_scope")
    await started.succeed()
    assert (await started.succeed()).metrics == []


async def test_slots_keep_their_metrics_apart(bench: Workbench) -> None:
    started = await bench.start("measures.py:slotted", slots=4)
    numbers = {name: started.begin({"name": name}, who=name) for name in ("a", "b", "c", "d")}
    for name, number in numbers.items():
        record = await started.told.until_done(number)
        assert record.metrics == [(name, 1, "incr")] * 5 + [(f"{name}.thread", 1, "replace")]
        assert record.output == {"who": name}


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("type", "Metric 't' has type int, cannot set to str without deleting first"),
        ("value", "Unsupported metric value type: tuple. Expected bool, int, float, str, list, or dict."),
        ("mode", "Invalid metric mode: 'bogus'. Expected 'replace', 'incr', or 'append'."),
    ],
)
async def test_a_violation_fails_the_run(bench: Workbench, how: str, error: str) -> None:
    record = await (await bench.start("measures.py:violates")).run({"how": how})
    assert (record.status, record.error) == ("failed", error)


@pytest.fixture
def told() -> list[tuple[str, Any, str]]:
    return []


@pytest.fixture
def scope(told: list[tuple[str, Any, str]]) -> Scope:
    return Scope(lambda *metric: told.append(metric))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "metric name must not be empty"),
        ("predict_time", "'predict_time' is reserved by the runtime"),
        ("cog.x", "the 'cog.' prefix is reserved for system metrics"),
        ("a" * 129, "metric name must be 128 characters or fewer (got 129 characters)"),
        ("a.b.c.d.e", "metric name must have at most 4 dot-separated segments (got 5)"),
        (".a", "metric name must not start with a dot"),
        ("a.", "metric name must not end with a dot"),
        ("a..b", "metric name must not contain empty segments (consecutive dots)"),
        ("1a", "metric name segment '1a' must start with a letter"),
        ("a.\u00e9", "metric name segment '\u00e9' must start with a letter"),
        ("a_", "metric name segment 'a_' must end with a letter or digit"),
        ("a__b", "metric name segment 'a__b' must not contain consecutive underscores"),
        ("a b", "metric name segment 'a b' contains invalid character ' '"),
    ],
)
def test_names(scope: Scope, told: list[Any], name: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        scope.record_metric(name, 1)
    assert (str(caught.value), told) == (message, [])


@pytest.mark.parametrize("name", ["a" * 128, "a.b.c.d", "a_1.B2", "cogs"])
def test_good_names(scope: Scope, told: list[Any], name: str) -> None:
    scope.record_metric(name, 1)
    assert told == [(name, 1, "replace")]


@pytest.mark.parametrize(("first", "then"), [(1, 1.0), (1, True), (True, 1), ("a", 1), ([], {}), (1.0, "a")])
def test_a_metric_keeps_its_type(scope: Scope, first: Any, then: Any) -> None:
    scope.record_metric("m", first)
    with pytest.raises(TypeError, match="without deleting first"):
        scope.record_metric("m", then)
    scope.metrics.delete("m")
    scope.record_metric("m", then)


def test_appended_items_are_of_one_type(scope: Scope) -> None:
    scope.record_metric("m", 1, "append")
    with pytest.raises(TypeError, match="has type int, cannot set to str"):
        scope.record_metric("m", "s", "append")


@pytest.mark.parametrize("value", ["a", True, [1], {}])
def test_only_numbers_are_added_up(scope: Scope, value: Any) -> None:
    with pytest.raises(TypeError, match="Increment mode requires int or float, got"):
        scope.record_metric("m", value, "incr")


def test_none_is_no_value_but_deletes_by_key(scope: Scope, told: list[Any]) -> None:
    with pytest.raises(TypeError, match="Unsupported metric value type: NoneType"):
        scope.record_metric("m", None)
    scope.metrics["m"] = None
    assert told == [("m", None, "delete")]


def test_outside_a_run_all_is_ignored_but_the_mode() -> None:
    outside = Scope()
    outside.record_metric("", object())
    outside.metrics["1"] = 1
    del outside.metrics["1"]
    with pytest.raises(TypeError, match="Invalid metric mode"):
        outside.record_metric("a", 1, "bogus")
    assert outside.context == {}
