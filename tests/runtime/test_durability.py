"""Nothing acknowledged is lost: a stop, a crash, a full disk; and what a quick run need not write."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from stoker.core.errors import Unavailable
from stoker.core.prediction import INTERRUPTED, Status
from tests.runtime.stage import Stage, play, until


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


def test_output_is_shown_once_the_start_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        real, slow_disk = stage.store.predictions.start, asyncio.Event()

        async def held(*args: Any, **options: Any) -> bool:
            await slow_disk.wait()
            return await real(*args, **options)

        monkeypatch.setattr(stage.store.predictions, "start", held)
        instance = await stage.instance()
        instance.listener.output(1, b'"early"', item=True, files=[])
        instance.listener.turn_ended()
        assert live.items == [b'"early"']
        assert (live.view().status, live.view().output) == (Status.STARTING, None)
        slow_disk.set()
        await until(lambda: live.seen.status is Status.PROCESSING)
        assert live.view().output is not None
        instance.succeed(1)
        await live.wait_over()

    play(tmp_path, story)


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


def test_a_disk_that_fails_under_an_input_file_ends_the_prediction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def story(stage: Stage) -> None:
        version = await stage.version()

        async def failing(*args: Any) -> Any:
            raise OSError("no space left on device")

        monkeypatch.setattr(stage.inputs, "needed", lambda *_: True)
        monkeypatch.setattr(stage.inputs, "fetch", failing)
        live = await stage.submit(version)
        await live.wait_over()
        assert (live.seen.status, live.seen.error) == (
            Status.FAILED,
            "The input files could not be stored; please retry (E9243)",
        )

    play(tmp_path, story)


def test_a_fetch_ends_with_its_prediction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        ended = asyncio.Event()

        async def endless(*args: Any) -> Any:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        monkeypatch.setattr(stage.inputs, "needed", lambda *_: True)
        monkeypatch.setattr(stage.inputs, "fetch", endless)
        live = await stage.submit(version)
        await stage.dispatcher.cancel(live.id)
        await ended.wait()

    play(tmp_path, story)


def test_a_second_signal_hurries_the_stop(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        await stage.instance()
        hurry = asyncio.Event()
        draining = asyncio.create_task(stage.dispatcher.drain(10_000, hurry=hurry))
        await until(lambda: stage.dispatcher.draining)
        hurry.set()
        await draining
        assert (live.seen.status, live.seen.error) == (Status.FAILED, INTERRUPTED)

    play(tmp_path, story)
