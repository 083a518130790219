"""What waiting predictions are told, on request and in their logs; instances that boot while files come."""

import asyncio
from pathlib import Path
from typing import Any

from stoker.core.prediction import Status
from stoker.core.waiting import Wait
from tests.runtime.stage import Stage, play, until
from tests.runtime.test_scaling import room_for


def told(stage: Stage, id: str) -> Wait:
    wait = stage.waits.of(id)
    assert wait is not None
    return wait


def test_a_boot_is_told_with_its_stage_and_what_it_usually_takes(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.workspace.gate = asyncio.Event()
        version = await stage.version()
        first, second = await stage.submit(version), await stage.submit(version)
        stage.step(3)
        wait = told(stage, second.id)
        assert (wait.reason, wait.position, wait.estimate_s) == ("boot", 2, None)
        assert wait.boot is not None and (wait.boot.stage, wait.boot.since_s) == ("environment", 3)
        stage.workspace.gate.set()
        instance = await stage.instance(slots=None)
        await until(lambda: all(member.instance for member in stage.fleet.members()))
        wait = told(stage, first.id)
        assert wait.boot is not None and wait.boot.stage == "process"
        instance.listener.ready(slots=1)
        assert stage.waits.of(first.id) is None, "it runs"
        assert told(stage, second.id).reason == "queue"
        stage.step(10)
        instance.succeed(1)
        await first.wait_over()
        third = await stage.submit(version)
        stage.step(4)
        assert (told(stage, third.id).position, told(stage, third.id).estimate_s) == (1, 6)
        assert stage.waits.of("nothing") is None

    play(tmp_path, story, max_instances=1)


def test_accounts_take_turns_in_the_positions_that_are_told(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        big = [await stage.submit(version, account="big") for _ in range(3)]
        small = await stage.submit(version, account="small")
        assert [told(stage, live.id).position for live in (*big, small)] == [1, 3, 4, 2]

    play(tmp_path, story)


def test_no_room_is_told(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = room_for(1)
        await stage.submit(await stage.version("first"))
        await stage.instance()
        waits = await stage.submit(await stage.version("second"))
        wait = told(stage, waits.id)
        assert (wait.reason, wait.estimate_s) == ("room", None)
        assert wait.message.startswith("No instance can start yet: ")

    play(tmp_path, story)


def test_a_version_that_fails_to_start_pauses_and_says_so(tmp_path: Path):
    """What is made during the pause waits for the next try, and starts well where that works."""

    async def story(stage: Stage) -> None:
        version = await stage.version()
        for number in range(3):
            live = await stage.submit(version)
            instance = await stage.instance(number, slots=None)
            instance.listener.setup_failed("no weights")
            instance.listener.exited("set-up failed")
            await live.wait_over()
            assert live.seen.status is Status.FAILED
            stage.step(2.0**number)
        stage.clock.advance(-2)
        live = await stage.submit(version)
        wait = told(stage, live.id)
        assert (wait.reason, wait.failures, wait.next_try_s) == ("paused", 3, 2)
        assert wait.error == "Model setup failed: no weights (E9243)"
        (paused,) = stage.waits.paused()
        assert (paused["model"], paused["failures"]) == ("local/m", 3)
        stage.step(2.5)
        instance = await stage.instance(3)
        await until(lambda: live.seen.status is Status.PROCESSING)
        assert stage.waits.paused() == []

    play(tmp_path, story)


def test_a_pause_can_be_ended_by_hand(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version, other = await stage.version(), await stage.version("other")
        for number, one in enumerate((version, other)):
            live = await stage.submit(one)
            instance = await stage.instance(number, slots=None)
            instance.listener.setup_failed("no weights")
            instance.listener.exited("set-up failed")
            await live.wait_over()
        waits = await stage.submit(version)
        assert stage.waits.resume(deployment="local/app") == []
        (resumed,) = stage.waits.resume(model="local/m")
        assert (resumed["model"], resumed["failures"]) == ("local/m", 1)
        await stage.instance(2)
        await until(lambda: waits.seen.status is Status.PROCESSING)
        assert [pause["model"] for pause in stage.waits.paused()] == ["local/other"]

    play(tmp_path, story)


def test_failures_are_forgiven_in_the_end(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await stage.submit(await stage.version())
        instance = await stage.instance(slots=None)
        instance.listener.exited("it crashed")
        await live.wait_over()
        stage.step(599)
        assert len(stage.waits.paused()) == 1
        stage.step(2)
        assert stage.waits.paused() == []

    play(tmp_path, story)


def test_logs_tell_of_a_long_wait_once_for_each_reason(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first, second = await stage.submit(version), await stage.submit(version)
        stage.step(14)
        assert not first.logs, "a wait that may end soon"
        stage.step(1)
        stage.step(5)
        assert first.logs == "[stoker] Waiting: An instance starts (process, for 15 s).\n"
        instance = await stage.instance()
        stage.step(1)
        stage.step(1)
        assert second.logs.splitlines() == [
            "[stoker] Waiting: An instance starts (process, for 15 s). 1 prediction is before it.",
            "[stoker] Waiting: It is next in line.",
        ]
        instance.listener.log(1, "the model's own\n")
        instance.succeed(1)
        await first.wait_over()
        assert first.seen.logs.splitlines()[1:] == ["the model's own"]

    play(tmp_path, story)


def test_logs_tell_nothing_where_they_are_not_to(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await stage.submit(await stage.version())
        stage.step(3600)
        assert not live.logs

    play(tmp_path, story, wait_log_s=0)


def test_a_reason_that_goes_to_and_fro_fills_no_log(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        for _ in range(12):
            live = await stage.submit(version)
        for number in range(10):
            stage.step(20)
            instance = await stage.instance(number)
            stage.step(1)
            instance.kill("it crashed")
        assert stage.waits.of(live.id) is not None
        assert len(live.logs.splitlines()) == 4

    play(tmp_path, story)


def test_an_instance_boots_while_input_files_are_fetched(tmp_path: Path):
    async def story(stage: Stage) -> None:
        gate = asyncio.Event()

        async def fetch(*_: Any) -> list[Any]:
            await gate.wait()
            return []

        stage.inputs.needed = lambda *_: True  # type: ignore[method-assign]
        stage.inputs.fetch = fetch  # type: ignore[method-assign]
        version = await stage.version()
        lives = [await stage.submit(version) for _ in range(20)]
        instance = await stage.instance()
        assert told(stage, lives[0].id).reason == "files"
        stage.step(300)
        assert not instance.stopped, "somebody will want it"
        assert len(stage.engine.instances) == 1, "one is enough before anything can run"
        gate.set()
        await until(lambda: bool(instance.runs))
        await stage.dispatcher.cancel(lives[1].id)

    play(tmp_path, story)


def test_what_is_cancelled_while_its_files_come_wants_no_instance_any_more(tmp_path: Path):
    async def story(stage: Stage) -> None:
        async def fetch(*_: Any) -> list[Any]:
            await asyncio.Event().wait()
            return []

        stage.inputs.needed = lambda *_: True  # type: ignore[method-assign]
        stage.inputs.fetch = fetch  # type: ignore[method-assign]
        live = await stage.submit(await stage.version())
        instance = await stage.instance()
        await stage.dispatcher.cancel(live.id)
        await until(lambda: not stage.errands.prepares_for(stage.fleet.members()[0].pool))
        stage.step(61)
        await until(lambda: instance.stopped)

    play(tmp_path, story)
