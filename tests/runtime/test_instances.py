"""Instances as work needs them: started, replaced, stopped, and what happens when they fail."""

import errno
from pathlib import Path

import pytest

from stoker.core.errors import BuildFailed
from stoker.core.prediction import Status
from stoker.runtime.launch import FULL, UNEXPECTED
from tests.runtime.stage import Stage, play, until


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


@pytest.mark.parametrize(
    ("refuses", "told"),
    [
        (BuildFailed("its environment cannot be built"), "its environment cannot be built"),
        (OSError(errno.ENOSPC, "No space left on device", "/srv/stoker/sources/x"), FULL),
        (PermissionError(errno.EACCES, "Permission denied", "/srv/stoker/sources/x"), UNEXPECTED),
        (KeyError("python"), UNEXPECTED),
    ],
)
@pytest.mark.parametrize("where", ["workspace", "engine"])
def test_a_version_that_cannot_be_started_says_so_in_plain_words(
    tmp_path: Path, where: str, refuses: Exception, told: str, caplog: pytest.LogCaptureFixture
):
    """Whoever waits reads a sentence; what nobody foresaw is in the server's log, with where it came from."""

    async def story(stage: Stage) -> None:
        version = await stage.version()
        getattr(stage, where).refuses = refuses
        live = await stage.submit(version)
        await live.wait_over()
        assert live.seen.status is Status.FAILED
        assert live.seen.error == f"Model setup failed: {told} (E9243)"
        assert [boot.error for boot in stage.boots.latest()] == [told]

    play(tmp_path, story)
    [record] = [one for one in caplog.records if one.name == "stoker.runtime.launch"]
    assert bool(record.exc_info) is not isinstance(refuses, BuildFailed)


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
