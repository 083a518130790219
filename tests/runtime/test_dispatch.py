"""Dispatch: who runs when, and being cancelled; with scripted instances and a clock that stands still."""

import asyncio
from pathlib import Path

import msgspec

from stoker.core.prediction import Status
from tests.runtime.stage import Stage, play


def test_a_free_slot_takes_a_prediction_in_the_same_turn(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first = await stage.submit(version)
        instance = await stage.instance()
        instance.succeed(1)
        await first.wait_over()
        live = stage.dispatcher.submit(stage.prediction(version), version)
        assert len(instance.runs) == 2
        await live.accepted
        assert live.seen.status is Status.PROCESSING

    play(tmp_path, story)


def test_a_prediction_is_durable_before_its_client_is_told(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        stored = await stage.store.predictions.get(live.id)
        assert stored is not None
        assert stored.status is Status.STARTING

    play(tmp_path, story)


def test_output_logs_and_metrics_end_in_the_store(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        instance.listener.log(1, "hello\n")
        instance.listener.metric(1, "tokens", 3, "incr")
        instance.succeed(1, "done")
        await live.wait_over()
        stored = await stage.store.predictions.get(live.id)
        assert stored is not None
        assert (stored.status, bytes(stored.output or b""), stored.logs) == (
            Status.SUCCEEDED,
            b'"done"',
            "hello\n",
        )
        assert msgspec.json.decode(stored.metrics)["tokens"] == 3
        assert stage.dispatcher.live(live.id) is None

    play(tmp_path, story)


def test_predictions_wait_for_a_slot_and_take_turns_by_account(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        lives = [await stage.submit(version, account=account) for account in ("a", "a", "a", "b")]
        instance = await stage.instance()
        for number in range(1, 5):
            instance.succeed(number)
        await asyncio.gather(*(live.wait_over() for live in lives))
        order = [run.prediction for run in instance.runs]
        assert order == [lives[0].id, lives[3].id, lives[1].id, lives[2].id]

    play(tmp_path, story)


def test_no_more_runs_than_slots(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version(slots=2)
        for _ in range(3):
            await stage.submit(version)
        instance = await stage.instance(slots=2)
        assert [run.number for run in instance.runs] == [1, 2]
        instance.listener.done(2, "succeeded", None)
        assert [run.number for run in instance.runs] == [1, 2, 3]

    play(tmp_path, story)


def test_cancel_in_the_queue_never_runs(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        ended = await stage.dispatcher.cancel(live.id)
        assert ended is not None
        assert (ended.status, ended.started_us) == (Status.CANCELED, None)
        instance = await stage.instance()
        assert instance.runs == []

    play(tmp_path, story)


def test_cancel_of_a_run_is_final_at_once_and_keeps_the_slot_until_the_model_stops(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first, second = await stage.submit(version), await stage.submit(version)
        instance = await stage.instance()
        instance.listener.output(1, b'"part"', item=True, files=[])
        ended = await stage.dispatcher.cancel(first.id)
        assert ended is not None
        assert (ended.status, bytes(ended.output or b"")) == (Status.CANCELED, b'["part"]')
        assert instance.cancelled == [1]
        assert len(instance.runs) == 1
        instance.listener.output(1, b'"late"', item=True, files=[])
        instance.listener.done(1, "succeeded", None)
        assert instance.runs[1].prediction == second.id
        stored = await stage.store.predictions.get(first.id)
        assert stored is not None
        assert (stored.status, bytes(stored.output or b"")) == (Status.CANCELED, b'["part"]')

    play(tmp_path, story)
