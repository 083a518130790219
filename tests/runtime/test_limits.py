"""What a run may take and give: time, output, logs, files."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from stoker.core.prediction import Status
from stoker.ports.engine import OutputFile
from tests.runtime.stage import Stage, play


def test_a_run_over_its_time_fails(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        stage.step(1799)
        assert instance.cancelled == [], "it has half an hour"
        stage.step(2)
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


def test_a_deadline_counts_while_files_are_fetched_an_instance_boots_and_starts_fail(tmp_path: Path):
    async def story(stage: Stage) -> None:
        async def fetch(*_: Any) -> list[Any]:
            await asyncio.Event().wait()
            return []

        version = await stage.version()
        deadline_us = stage.clock.now_us() + 5_000_000
        boots = await stage.submit(version, deadline_us=deadline_us)
        broken = await stage.version("broken")
        failed = await stage.submit(broken)
        instance = await stage.instance(1, slots=None)
        instance.listener.exited("it crashed")
        await failed.wait_over()
        pauses = await stage.submit(broken, deadline_us=deadline_us)
        stage.inputs.needed = lambda *_: True  # type: ignore[method-assign]
        stage.inputs.fetch = fetch  # type: ignore[method-assign]
        fetches = await stage.submit(version, deadline_us=deadline_us)
        stage.clock.advance(5)
        stage.dispatcher.step(stage.clock.now_us())
        for live in (boots, pauses, fetches):
            await live.wait_over()
            assert (live.seen.status, live.seen.started_us) == (Status.CANCELED, None)

    play(tmp_path, story)


def test_a_deadline_that_was_over_while_the_server_was_away_ends_it_at_the_next_start(tmp_path: Path):
    async def accept(stage: Stage) -> None:
        await stage.submit(await stage.version(), deadline_us=stage.clock.now_us() + 5_000_000)

    async def after_a_restart(stage: Stage) -> None:
        stage.clock.advance(6)
        await stage.dispatcher.recover()
        (waits,) = stage.dispatcher.roster.all()
        stage.dispatcher.step(stage.clock.now_us())
        await waits.live.wait_over()
        assert waits.live.seen.status is Status.CANCELED
        assert not stage.engine.instances or not stage.engine.instances[0].runs

    play(tmp_path, accept, crash=True)
    play(tmp_path, after_a_restart)


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


def test_the_limit_of_logs_is_one_of_bytes(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await stage.submit(await stage.version())
        instance = await stage.instance()
        instance.listener.log(1, "\u00fc" * 1000)
        instance.succeed(1)
        await live.wait_over()
        assert live.seen.logs.partition("\n")[0] == "\u00fc" * 499
        assert "longer than this server keeps" in live.seen.logs

    play(tmp_path, story, log_limit_bytes=999)


def test_metrics_are_kept_up_to_a_limit_and_the_cut_is_told_once(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await stage.submit(await stage.version())
        instance = await stage.instance()
        for n in range(100):
            instance.listener.metric(1, f"note{n}", "x" * 10_000, "replace")
        instance.succeed(1)
        await live.wait_over()
        assert len(live.seen.metrics) < 300_000
        assert "note20" in msgspec.json.decode(live.seen.metrics)
        assert live.seen.logs.count("metrics are larger") == 1

    play(tmp_path, story)


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
