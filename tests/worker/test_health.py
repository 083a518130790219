"""The model's own health check."""

import asyncio

import pytest

from tests.worker.workbench import Started, Workbench

MODELS = ["Checked", "AsyncChecked", "AsyncPlainChecked", "PlainAsyncChecked"]


async def health(started: Started) -> str | None:
    answers = started.told.health_answers
    count = len(answers)
    started.instance.check_health()
    await started.told.until(lambda: len(answers) > count)
    return answers[-1]


@pytest.mark.parametrize("model", MODELS)
async def test_only_true_is_healthy(bench: Workbench, model: str) -> None:
    started = await bench.start(f"healths.py:{model}")
    assert await health(started) is None
    for answer, shown in (("false", "False"), ("none", "None"), ("zero", "0"), ("text", "'no'")):
        await started.succeed({"answer": answer})
        problem = await health(started)
        assert problem is not None
        assert problem.startswith(f"Healthcheck failed: user-defined healthcheck returned {shown}")
    await started.succeed({"answer": "raises"})
    assert await health(started) == "Healthcheck failed: ValueError: sick"
    assert "ValueError: sick" in started.told.logs
    await started.succeed({"answer": "true"})
    assert await health(started) is None


async def test_a_model_without_a_check_is_healthy(bench: Workbench) -> None:
    for function in ("quick", "async_sleeps"):
        assert await health(await bench.start(f"stops.py:{function}")) is None


async def test_a_late_check_is_a_failed_one(bench: Workbench) -> None:
    both = [await bench.start(f"healths.py:{model}") for model in ("Checked", "AsyncChecked")]
    for started in both:
        await started.succeed({"answer": "sleeps"})
    late = "Healthcheck failed: user-defined healthcheck timed out after 5.0 seconds"
    assert await asyncio.gather(*map(health, both)) == [late, late]


async def test_a_check_runs_beside_a_prediction(bench: Workbench) -> None:
    started = await bench.start("healths.py:Busy")
    number = started.begin()
    await started.told.until(lambda: started.told.run(number).logs != "")
    assert await health(started) is None
    started.instance.cancel(number)
    assert (await started.told.until_done(number)).status == "canceled"


async def test_a_check_that_kills_the_process(bench: Workbench) -> None:
    started = await bench.start("healths.py:Checked")
    await started.succeed({"answer": "dies"})
    started.instance.check_health()
    assert await started.told.until_exited() == "exited with code 7"
