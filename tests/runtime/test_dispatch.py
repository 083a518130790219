"""Dispatch and the fleet, with scripted instances and a clock that stands still."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.core.errors import BuildFailed, Unavailable
from stoker.core.prediction import INTERRUPTED, Status
from stoker.ports.engine import OutputFile
from tests.runtime.stage import Stage, play, until


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


def test_a_model_that_does_not_stop_is_replaced(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first, second = await stage.submit(version), await stage.submit(version)
        instance = await stage.instance()
        await stage.dispatcher.cancel(first.id)
        stage.step(9.9)
        assert instance.killed is None
        stage.step(0.2)
        assert instance.killed is not None
        replacement = await stage.instance(1)
        assert replacement.runs[0].prediction == second.id

    play(tmp_path, story)


def test_neighbours_of_a_run_that_does_not_stop_may_end(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version(slots=2)
        stuck, neighbour = await stage.submit(version), await stage.submit(version)
        instance = await stage.instance(slots=2)
        await stage.dispatcher.cancel(stuck.id)
        stage.step(11)
        assert instance.killed is None
        instance.succeed(2)
        assert await neighbour.wait_over()
        assert neighbour.seen.status is Status.SUCCEEDED
        stage.step(1)
        assert instance.killed is not None

    play(tmp_path, story)


def test_an_instance_that_dies_fails_its_run_and_the_next_gets_a_fresh_one(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first, second = await stage.submit(version), await stage.submit(version)
        instance = await stage.instance()
        instance.listener.exited("the model process was killed by SIGSEGV")
        await first.wait_over()
        assert first.seen.status is Status.FAILED
        assert "SIGSEGV" in (first.seen.error or "")
        replacement = await stage.instance(1)
        replacement.succeed(1)
        await second.wait_over()
        assert second.seen.status is Status.SUCCEEDED

    play(tmp_path, story)


def test_a_failing_setup_fails_those_who_wait_with_its_log_and_is_paused(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance(slots=None)
        instance.listener.instance_log("Traceback: boom\n")
        instance.listener.setup_failed("boom")
        instance.listener.exited("exit status 1")
        await live.wait_over()
        assert live.seen.status is Status.FAILED
        assert "boom" in (live.seen.error or "")
        assert live.seen.logs == "Traceback: boom\n"
        later = await stage.submit(version)
        stage.step(0.9)
        assert len(stage.engine.instances) == 1
        stage.step(0.2)
        (await stage.instance(1)).succeed(1)
        await later.wait_over()
        assert later.seen.status is Status.SUCCEEDED

    play(tmp_path, story)


@pytest.mark.parametrize("where", ["workspace", "engine"])
def test_a_version_that_cannot_be_started_fails_those_who_wait(tmp_path: Path, where: str):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        if where == "workspace":
            stage.workspace.refuses = BuildFailed("its environment cannot be built")
        else:
            stage.engine.refuses = OSError("no more processes")
        live = await stage.submit(version)
        await live.wait_over()
        assert live.seen.status is Status.FAILED

    play(tmp_path, story)


def test_an_idle_instance_stops_after_a_minute_and_comes_back(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        instance.succeed(1)
        await live.wait_over()
        stage.step(59)
        assert not instance.stopped
        stage.step(1.1)
        await until(lambda: instance.stopped)
        again = await stage.submit(version)
        (await stage.instance(1)).succeed(1)
        assert await again.wait_over()

    play(tmp_path, story)


def test_an_unhealthy_instance_takes_no_more_and_is_replaced(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        stage.step(11)
        assert instance.health_checks == 1
        instance.listener.health("returned False")
        instance.succeed(1)
        await live.wait_over()
        stage.step(1)
        await until(lambda: instance.stopped)
        after = await stage.submit(version)
        (await stage.instance(1)).succeed(1)
        await after.wait_over()
        assert after.seen.status is Status.SUCCEEDED

    play(tmp_path, story)


def test_a_run_over_its_time_fails(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        stage.step(1801)
        await live.wait_over()
        assert live.seen.status is Status.FAILED
        assert "timed out" in (live.seen.error or "")
        assert instance.cancelled == [1]

    play(tmp_path, story)


def test_a_deadline_cancels_wherever_the_prediction_is(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        deadline_us = stage.clock.now_us() + 5_000_000
        lives = [await stage.submit(version, deadline_us=deadline_us) for _ in range(2)]
        await stage.instance()
        stage.step(4.9)
        assert not any(live.over for live in lives)
        stage.step(0.2)
        for live in lives:
            await live.wait_over()
            assert live.seen.status is Status.CANCELED

    play(tmp_path, story)


def test_an_output_over_the_limit_fails_and_stops_the_run(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        for _ in range(20):
            instance.listener.output(1, b'"' + b"x" * 100 + b'"', item=True, files=[])
        await live.wait_over()
        assert live.seen.status is Status.FAILED
        assert instance.cancelled == [1]
        assert len(live.items) < 10

    play(tmp_path, story, output_limit_bytes=1000)


def test_logs_are_kept_up_to_the_limit_and_the_cut_is_told_once(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        for _ in range(100):
            instance.listener.log(1, "x" * 100)
        instance.succeed(1)
        await live.wait_over()
        assert live.seen.logs.startswith("x" * 1000 + "\n[the log is longer")
        assert len(live.seen.logs) < 1200

    play(tmp_path, story, log_limit_bytes=1000)


def test_outputs_keep_their_order_while_files_are_taken_over(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        path = tmp_path / "picture"
        path.write_bytes(b"png")
        listener = instance.listener
        listener.output(1, b'{"image":null}', item=True, files=[OutputFile(["image"], str(path), "a.png")])
        listener.output(1, b'"after"', item=True, files=[])
        listener.done(1, "succeeded", None)
        await live.wait_over()
        first, second = msgspec.json.decode(live.seen.output or b"null")
        assert first["image"].startswith("http://stoker.test/delivery/")
        assert second == "after"
        assert live.seen.status is Status.SUCCEEDED

    play(tmp_path, story)


def test_a_file_that_cannot_be_kept_fails_the_prediction(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        gone = OutputFile([], str(tmp_path / "gone"), "a.png")
        instance.listener.output(1, b"null", item=False, files=[gone])
        instance.listener.done(1, "succeeded", None)
        await live.wait_over()
        assert (live.seen.status, live.seen.error) == (
            Status.FAILED,
            "Failed to store an output file (E9825)",
        )

    play(tmp_path, story)


def test_draining_takes_nothing_new_lets_runs_end_and_keeps_what_waits(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        running, waiting = await stage.submit(version), await stage.submit(version)
        instance = await stage.instance()
        draining = asyncio.create_task(stage.dispatcher.drain(30))
        await until(lambda: stage.dispatcher.draining)
        with pytest.raises(Unavailable):
            stage.dispatcher.submit(stage.prediction(version), version)
        instance.succeed(1)
        await draining
        assert running.seen.status is Status.SUCCEEDED
        assert len(instance.runs) == 1
        assert not await waiting.wait_over()
        assert [p.id for p in await stage.store.predictions.waiting()] == [waiting.id]

    play(tmp_path, story)


def test_what_does_not_end_in_the_grace_period_is_interrupted(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        await stage.instance()
        await stage.dispatcher.drain(0)
        assert (live.seen.status, live.seen.error) == (Status.FAILED, INTERRUPTED)

    play(tmp_path, story)


def test_after_a_crash_what_waited_runs_and_what_ran_has_failed(tmp_path: Path):
    ids: list[str] = []

    async def before(stage: Stage) -> None:
        version = await stage.version()
        webhook = {"webhook": "http://hook.test/", "webhook_events": ("completed",)}
        ids.extend([(await stage.submit(version, **webhook)).id, (await stage.submit(version)).id])
        await stage.instance()
        await until(lambda: stage.dispatcher.live(ids[0]).seen.status is Status.PROCESSING)  # type: ignore[union-attr]

    async def after(stage: Stage) -> None:
        await stage.dispatcher.recover()
        running = await stage.store.predictions.get(ids[0])
        assert running is not None
        assert (running.status, running.error) == (Status.FAILED, INTERRUPTED)
        assert [d.prediction for d in await stage.store.outbox.due(stage.clock.now_us() + 10**9)] == [ids[0]]
        instance = await stage.instance()
        await until(lambda: bool(instance.runs))
        assert instance.runs[0].prediction == ids[1]

    play(tmp_path, before, crash=True)
    play(tmp_path, after)


def test_what_was_decided_while_the_disk_was_full_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        real, failures = stage.store.predictions.finish, iter([OSError("disk full"), OSError("disk full")])

        async def failing(*args: Any, **options: Any) -> bool:
            if error := next(failures, None):
                raise error
            return await real(*args, **options)

        monkeypatch.setattr(stage.store.predictions, "finish", failing)
        instance.succeed(1)
        while not live.over:
            await asyncio.sleep(0)
            stage.clock.advance(1)
        assert live.seen.status is Status.SUCCEEDED

    play(tmp_path, story)


def test_what_could_not_be_written_was_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def story(stage: Stage) -> None:
        version = await stage.version()

        async def failing(*args: Any, **options: Any) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(stage.store.predictions, "accept", failing)
        live = stage.dispatcher.submit(stage.prediction(version), version)
        with pytest.raises(OSError, match="disk full"):
            await live.accepted
        assert stage.dispatcher.live(live.id) is None

    play(tmp_path, story)


def test_a_quick_prediction_that_nobody_is_told_of_is_written_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first = await stage.submit(version)
        instance = await stage.instance()
        instance.succeed(1)
        await first.wait_over()
        monkeypatch.setattr(stage.store.predictions, "finish", None)
        live = stage.dispatcher.submit(stage.prediction(version), version, told=False)
        instance.succeed(2, "quick")
        await live.accepted
        assert live.seen.status is Status.SUCCEEDED
        stored = await stage.store.predictions.get(live.id)
        assert stored is not None
        assert (stored.status, bytes(stored.output or b"")) == (Status.SUCCEEDED, b'"quick"')
        model = await stage.store.models.get("local", "m")
        assert model is not None
        assert model.run_count == 2

    play(tmp_path, story)


def test_a_longer_one_is_written_while_it_runs(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await stage.submit(version)
        instance = await stage.instance(slots=2)
        live = stage.dispatcher.submit(stage.prediction(version), version, told=False)
        assert await stage.store.predictions.get(live.id) is None
        await live.accepted
        stored = await stage.store.predictions.get(live.id)
        assert stored is not None
        assert stored.status is Status.PROCESSING
        instance.succeed(2)
        assert await live.wait_over()

    play(tmp_path, story)
