"""Priorities: what an account has in one line goes by urgency, and what is told of places is what comes."""

import asyncio
from pathlib import Path
from typing import Any

from stoker.core.prediction import Status
from stoker.core.priority import Priority
from stoker.runtime.live import Live
from tests.runtime.stage import ScriptedInstance, Stage, play, until

LIKE = "d" * 64
MIXED: tuple[Priority, ...] = ("low", "normal", "high", "low", "normal", "high")
BY_URGENCY = [2, 5, 1, 4, 0, 3]


def position(stage: Stage, live: Live) -> int | None:
    wait = stage.waits.of(live.id)
    assert wait is not None
    return wait.position


def ran(instance: ScriptedInstance, count: int) -> list[str]:
    """The predictions of the first runs, each of which ends: the next begins at once."""
    for number in range(count):
        instance.succeed(instance.runs[number].number)
    return [run.prediction for run in instance.runs[:count]]


def test_the_urgent_run_first_in_the_places_that_were_told(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        lives = [await stage.submit(version, priority=priority) for priority in MIXED]
        told = sorted(lives, key=lambda live: position(stage, live) or 0)
        assert [lives.index(live) for live in told] == BY_URGENCY
        assert [position(stage, live) for live in told] == [1, 2, 3, 4, 5, 6]
        instance = await stage.instance()
        assert ran(instance, 6) == [live.id for live in told]

    play(tmp_path, story, max_instances=1)


def test_urgency_delays_no_other_account(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        urgent = [await stage.submit(version, account="big", priority="high") for _ in range(50)]
        patient = [await stage.submit(version, account="small", priority="low") for _ in range(2)]
        assert [position(stage, live) for live in (*urgent[:3], *patient)] == [1, 3, 5, 2, 4]
        instance = await stage.instance()
        came = ran(instance, 4)
        assert came == [urgent[0].id, patient[0].id, urgent[1].id, patient[1].id]

    play(tmp_path, story, max_instances=1)


def test_a_low_one_runs_while_high_ones_keep_coming(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        low = await stage.submit(version, priority="low")
        for _ in range(3):
            await stage.submit(version, priority="high")
        instance = await stage.instance()
        for number in range(10):
            await stage.submit(version, priority="high")
            instance.succeed(instance.runs[number].number)
        assert [run.prediction for run in instance.runs].index(low.id) == 7

    play(tmp_path, story, max_instances=1)


def test_priorities_survive_a_restart(tmp_path: Path):
    ids: list[str] = []

    async def accept(stage: Stage) -> None:
        version = await stage.version()
        for priority in MIXED:
            ids.append((await stage.submit(version, priority=priority)).id)
            stage.clock.advance(1)

    async def after_a_crash(stage: Stage) -> None:
        await stage.dispatcher.recover()
        instance = await stage.instance()
        assert ran(instance, 6) == [ids[at] for at in BY_URGENCY]

    play(tmp_path, accept, crash=True)
    play(tmp_path, after_a_crash, max_instances=1)


def test_a_run_that_is_shared_is_as_urgent_as_the_most_urgent_who_share_it(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        leader = await stage.submit(version, likeness=LIKE, priority="low")
        normal = await stage.submit(version)
        assert (position(stage, leader), position(stage, normal)) == (2, 1)
        follower = await stage.submit(version, likeness=LIKE, priority="high")
        assert [position(stage, live) for live in (leader, follower, normal)] == [1, 1, 2]
        instance = await stage.instance()
        assert ran(instance, 2) == [leader.id, normal.id]
        await until(lambda: follower.over and follower.seen.status is Status.SUCCEEDED)

    play(tmp_path, story, max_instances=1)


def test_who_joins_while_input_files_are_fetched_hurries_the_run_as_well(tmp_path: Path):
    async def story(stage: Stage) -> None:
        gate = asyncio.Event()

        async def fetch(*_: Any) -> list[Any]:
            await gate.wait()
            return []

        version = await stage.version()
        normal = await stage.submit(version)
        needed, stage.inputs.needed = stage.inputs.needed, lambda *_: True  # type: ignore[method-assign]
        stage.inputs.fetch = fetch  # type: ignore[method-assign]
        leader = await stage.submit(version, likeness=LIKE, priority="low")
        follower = await stage.submit(version, likeness=LIKE, priority="high")
        stage.inputs.needed = needed  # type: ignore[method-assign]
        assert (position(stage, leader), position(stage, follower)) == (None, None)
        gate.set()
        await until(lambda: position(stage, follower) is not None)
        assert [position(stage, live) for live in (leader, follower, normal)] == [1, 1, 2]

    play(tmp_path, story)
