"""Outputs that grow while the model runs."""

from pathlib import Path
from typing import Any

import pytest

from tests.worker.workbench import Workbench

TOKENS = ["t0 ", "t1 ", "t2 "]


@pytest.mark.parametrize(
    ("function", "input", "items"),
    [
        ("generator", {"n": 3}, TOKENS),
        ("async_generator", {"n": 3}, TOKENS),
        ("async_returns_generator", {"n": 3}, TOKENS),
        ("hidden_generator", {"n": 3}, TOKENS),
        ("iterator_object", {"n": 3}, [0, 1, 2]),
        ("listed", {"n": 3}, [0, 1, 2]),
        ("single", {}, ["only"]),
        ("generator_annotation", {"n": 3}, [0, 1, 2]),
        ("nones", {}, [None, [1, None]]),
    ],
)
async def test_items(bench: Workbench, function: str, input: dict[str, Any], items: list[Any]) -> None:
    assert (await (await bench.start(f"grows.py:{function}")).succeed(input)).items == items


@pytest.mark.parametrize("function", ["generator", "async_generator", "iterator_object", "listed"])
async def test_no_items_are_an_empty_array(bench: Workbench, function: str) -> None:
    assert (await (await bench.start(f"grows.py:{function}")).succeed({"n": 0})).output == []


async def test_none_is_an_empty_array(bench: Workbench) -> None:
    assert (await (await bench.start("grows.py:nothing")).succeed()).output == []


async def test_what_does_not_say_that_it_grows_comes_whole(bench: Workbench) -> None:
    assert (await (await bench.start("grows.py:unannotated_growth")).succeed({"n": 3})).output == [0, 1, 2]
    assert (await (await bench.start("grows.py:hidden_coroutine")).succeed({"n": 3})).output == "xxx"


@pytest.mark.parametrize("function", ["paused", "async_paused"])
async def test_items_arrive_as_they_are_yielded(bench: Workbench, tmp_path: Path, function: str) -> None:
    started = await bench.start(f"grows.py:{function}")
    signal = tmp_path / "go on"
    number = started.begin({"path": str(signal)})
    record = started.told.run(number)
    await started.told.until(lambda: record.outputs == ["first", "second"])
    signal.touch()
    await started.told.until_done(number)
    assert record.outputs == ["first", "second", "third"]


async def test_a_burst_arrives_although_the_model_falls_silent(bench: Workbench, tmp_path: Path) -> None:
    started = await bench.start("grows.py:burst_then_silent")
    signal = tmp_path / "go on"
    number = started.begin({"path": str(signal)})
    record = started.told.run(number)
    await started.told.until(lambda: record.outputs == list(range(100)))
    signal.touch()
    assert (await started.told.until_done(number)).status == "succeeded"


async def test_many_items_come_in_few_turns_and_are_not_merged(bench: Workbench) -> None:
    started = await bench.start("grows.py:generator")
    before = started.told.turns
    record = await started.succeed({"n": 20_000})
    assert record.items == [f"t{i} " for i in range(20_000)]
    assert started.told.turns - before < 2_000


async def test_a_failing_generator_keeps_its_items(bench: Workbench) -> None:
    record = await (await bench.start("grows.py:fails")).run({"n": 2})
    assert (record.status, record.error, record.outputs) == ("failed", "mid", [0, 1])


@pytest.mark.parametrize("function", ["endless", "async_endless", "async_endless_large"])
async def test_an_endless_output_can_be_cancelled(bench: Workbench, function: str) -> None:
    started = await bench.start(f"grows.py:{function}")
    number = started.begin()
    record = started.told.run(number)
    await started.told.until(lambda: len(record.outputs) > 100)
    started.instance.cancel(number)
    assert (await started.told.until_done(number)).status == "canceled"


async def test_a_cancelled_generator_is_closed(bench: Workbench, tmp_path: Path) -> None:
    started = await bench.start("grows.py:endless")
    note = tmp_path / "note"
    number = started.begin({"note": str(note)})
    await started.told.until(lambda: len(started.told.run(number).outputs) > 10)
    started.instance.cancel(number)
    await started.told.until_done(number)
    assert note.read_text() == "closed"
