"""A run that is to stop, and how models take it."""

from pathlib import Path

import pytest

from tests.worker.workbench import Started, Workbench

SYNCHRONOUS = [
    "sleeps",
    "computes",
    "waits_for_child",
    "swallows",
    "raises_another",
    "ordinary_except",
    "records_without_end",
    "hidden_sleeps",
]
ASYNCHRONOUS = ["async_sleeps", "async_swallows"]


async def begin_and_cancel(started: Started, input: dict[str, str] | None = None) -> int:
    """Cancels a run once it has printed something."""
    number = started.begin(input)
    await started.told.until(lambda: started.told.run(number).logs != "")
    started.instance.cancel(number)
    return number


@pytest.mark.parametrize("function", [*SYNCHRONOUS, *ASYNCHRONOUS])
async def test_a_cancelled_run_stops_and_its_slot_is_free(bench: Workbench, function: str) -> None:
    started = await bench.start(f"stops.py:{function}")
    for _ in range(2):
        record = await started.told.until_done(await begin_and_cancel(started))
        assert (record.status, record.error, record.outputs) == ("canceled", None, [])
    assert started.told.exit_reason is None


@pytest.mark.parametrize("function", ["cleans_up", "async_cleans_up"])
async def test_clean_up_is_waited_for(bench: Workbench, tmp_path: Path, function: str) -> None:
    started = await bench.start(f"stops.py:{function}")
    note = tmp_path / "note"
    number = await begin_and_cancel(started, {"note": str(note)})
    started.instance.cancel(number)
    assert (await started.told.until_done(number)).status == "canceled"
    assert note.read_text() == "cleaned up"


async def test_a_generator_that_swallows_it_gives_nothing_more(bench: Workbench) -> None:
    started = await bench.start("stops.py:swallows_and_goes_on")
    record = await started.told.until_done(await begin_and_cancel(started))
    assert (record.status, record.outputs) == ("canceled", [1])


async def test_the_models_own_cancelation(bench: Workbench) -> None:
    assert (await (await bench.start("stops.py:raises_it")).run()).status == "canceled"


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("async_says_cancelled", "the order was cancelled: CancelledError"),
        ("async_cancels_itself", "CancelledError"),
    ],
)
async def test_words_do_not_make_a_cancel(bench: Workbench, function: str, error: str) -> None:
    record = await (await bench.start(f"stops.py:{function}")).run()
    assert (record.status, record.error) == ("failed", error)


async def test_a_cancel_at_once(bench: Workbench) -> None:
    for function in ("sleeps", "async_sleeps"):
        started = await bench.start(f"stops.py:{function}")
        number = started.begin()
        started.instance.cancel(number)
        assert (await started.told.until_done(number)).status == "canceled"


async def test_a_cancel_whose_signal_was_missed_still_stops_the_run(bench: Workbench, tmp_path: Path) -> None:
    started = await bench.start("stops.py:misses_the_first")
    gate = tmp_path / "gate"
    number = await begin_and_cancel(started, {"gate": str(gate)})
    started.instance.check_health()  # answered once the cancel before it has been carried out
    await started.told.until(lambda: started.told.health_answers != [])
    gate.touch()
    assert (await started.told.until_done(number)).status == "canceled"


async def test_cancels_that_come_too_late_hit_nobody(bench: Workbench) -> None:
    started = await bench.start("stops.py:quick")
    for turn in range(200):
        number = started.begin({"text": str(turn)})
        if turn % 2:
            started.instance.cancel(number)
        record = await started.told.until_done(number)
        assert record.status == "succeeded" or (turn % 2 and record.status == "canceled")
        started.instance.cancel(number)


async def test_a_model_that_ignores_it_can_be_killed(bench: Workbench) -> None:
    started = await bench.start("stops.py:ignores")
    number = await begin_and_cancel(started)
    await started.told.until(lambda: started.told.run(number).logs.count("ignoring") == 2)
    assert started.told.run(number).status is None
    started.instance.kill("did not stop within the grace period")
    assert await started.told.until_exited() == "did not stop within the grace period"


async def test_one_slot_is_cancelled_and_the_others_go_on(bench: Workbench) -> None:
    started = await bench.start("stops.py:async_sleeps", slots=3)
    numbers = [started.begin() for _ in range(3)]
    for number in numbers:
        await started.told.until(lambda number=number: started.told.run(number).logs != "")
    started.instance.cancel(numbers[1])
    assert (await started.told.until_done(numbers[1])).status == "canceled"
    assert [started.told.run(number).status for number in numbers] == [None, "canceled", None]
