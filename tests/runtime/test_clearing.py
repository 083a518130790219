"""Long lines that end as a whole do so a few at a time: the loop turns meanwhile, and each ends once."""

import asyncio
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from stoker.core.catalog import Version
from stoker.core.errors import StorageFailed
from stoker.core.hosting import pool_of
from stoker.core.prediction import Status
from stoker.runtime import clearing, flights
from stoker.runtime.clearing import SLICE
from stoker.runtime.live import Live
from tests.runtime.stage import Stage, play, until
from tests.runtime.test_deployments import change, deploy

MANY = 3 * SLICE + 50
TOLD: dict[str, Any] = {"webhook": "http://hook.test/", "webhook_events": ("completed",)}
BROKEN = "Model setup failed: boom (E9243)"


async def line(stage: Stage, version: Version, **fields: Any) -> list[Live]:
    """So many wait for the version; each has a webhook."""
    asked = [stage.prediction(version, **TOLD, **fields) for _ in range(MANY)]
    lives = [stage.dispatcher.submit(prediction, version) for prediction in asked]
    await asyncio.gather(*(live.accepted for live in lives))
    return lives


async def break_down(stage: Stage, number: int = 0) -> None:
    """The instance of that number cannot be set up."""
    instance = await stage.instance(number, slots=None)
    instance.listener.setup_failed("boom")
    instance.listener.exited("exit status 1")


async def turns(stage: Stage, lives: list[Live]) -> list[int]:
    """How many of them ended in each turn of the loop, until none waits any more."""
    ended: list[int] = []
    waiting = [live.id for live in lives]
    while waiting:
        before, waiting = waiting, [id for id in waiting if stage.dispatcher.roster.waiting(id)]
        ended.append(len(before) - len(waiting))
        await asyncio.sleep(0)
    await asyncio.gather(*(live.wait_over() for live in lives))
    return ended


async def told(stage: Stage) -> Counter[str]:
    """How many webhooks are owed of each prediction."""
    due = await stage.store.outbox.due(stage.clock.now_us(), limit=10 * MANY)
    return Counter(delivery.prediction for delivery in due)


def test_a_start_that_fails_ends_a_long_line_in_many_turns(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        lives = await line(stage, version)
        await break_down(stage)
        ended = await turns(stage, lives)
        assert ended[0] == SLICE, "the first at once"
        assert max(ended) <= SLICE
        assert {(live.seen.status, live.seen.error) for live in lives} == {(Status.FAILED, BROKEN)}
        assert await told(stage) == dict.fromkeys((live.id for live in lives), 1)
        assert len(stage.dispatcher.roster) == 0

    play(tmp_path, story)


@pytest.mark.parametrize("likeness", [None, "f" * 64])
def test_who_comes_meanwhile_waits_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, likeness: str | None
):
    monkeypatch.setattr(flights, "MOST_SHARING", 10)

    async def story(stage: Stage) -> None:
        version = await stage.version()
        lives = await line(stage, version, likeness=likeness)
        await break_down(stage)
        late = stage.dispatcher.submit(stage.prediction(version, likeness=likeness), version)
        pool = pool_of(version)
        assert any(stage.dispatcher.roster.waiting(live.id) for live in lives), "this is meanwhile"
        assert stage.dispatcher.lines.length(pool) == 1
        await turns(stage, lives)
        assert stage.dispatcher.lines.length(pool) == 1
        stage.step(1.1)
        (await stage.instance(1)).succeed(1)
        assert await late.wait_over()
        assert late.seen.status is Status.SUCCEEDED

    play(tmp_path, story, queue_limit_per_account=MANY)


def test_who_is_cancelled_meanwhile_is_so_and_leaves_its_end_to_those_who_share_its_run(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        lives = await line(stage, version)
        leader = await stage.submit(version, likeness="f" * 64)
        follower = await stage.submit(version, likeness="f" * 64)
        await break_down(stage)
        canceled = [lives[-1], leader]
        await asyncio.gather(*(stage.dispatcher.cancel(live.id) for live in canceled))
        await turns(stage, [*lives, leader, follower])
        assert [live.seen.status for live in canceled] == [Status.CANCELED, Status.CANCELED]
        others = [follower, *lives[:-1]]
        assert {(live.seen.status, live.seen.error) for live in others} == {(Status.FAILED, BROKEN)}
        assert await told(stage) == dict.fromkeys((live.id for live in lives), 1)
        assert len(stage.dispatcher.roster) == 0

    play(tmp_path, story)


def hold(stage: Stage, lives: Collection[Live]) -> asyncio.Event:
    """The ends of those are written only once the event is set."""
    real, goes_on, ids = stage.store.predictions.finish, asyncio.Event(), {live.id for live in lives}

    async def finish(id: str, *args: Any, **options: Any) -> bool:
        if id in ids:
            await goes_on.wait()
        return await real(id, *args, **options)

    stage.store.predictions.finish = finish  # type: ignore[method-assign]
    return goes_on


def test_a_server_that_dies_meanwhile_loses_none_and_ends_none_twice(tmp_path: Path):
    ids: list[str] = []

    async def before(stage: Stage) -> None:
        lives = await line(stage, await stage.version())
        ids.extend(live.id for live in lives)
        hold(stage, lives[2 * SLICE :])
        await break_down(stage)
        await asyncio.gather(*(live.wait_over() for live in lives[: 2 * SLICE]))

    async def after(stage: Stage) -> None:
        waiting = {prediction.id for prediction in await stage.store.predictions.waiting()}
        assert waiting == set(ids[2 * SLICE :])
        await stage.dispatcher.recover()
        instance = await stage.instance()
        await until(lambda: len(instance.runs) == 1)
        for number in range(len(waiting)):
            instance.succeed(number + 1)
        for id in waiting:
            if live := stage.dispatcher.live(id):
                await live.wait_over()
        found = [await stage.store.predictions.get(id) for id in ids]
        ended = {prediction.id: prediction.status for prediction in found if prediction is not None}
        assert ended == {id: Status.SUCCEEDED if id in waiting else Status.FAILED for id in ids}
        assert await told(stage) == dict.fromkeys(ids, 1)

    play(tmp_path, before, crash=True)
    play(tmp_path, after)


def test_a_server_that_stops_meanwhile_leaves_the_rest_for_its_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def story(stage: Stage) -> None:
        lives = await line(stage, await stage.version())
        monkeypatch.setattr(stage.errands, "close", hold(stage, lives).set)
        await break_down(stage)
        await stage.dispatcher.drain(0)
        waiting = {prediction.id for prediction in await stage.store.predictions.waiting()}
        assert waiting == {live.id for live in lives[SLICE:]}
        assert {live.id for live in lives if not live.over} == waiting

    play(tmp_path, story)


@pytest.mark.parametrize("deleted", [False, True])
def test_a_disabled_deployment_ends_a_long_line_in_many_turns_and_runs_none_of_it(
    tmp_path: Path, deleted: bool
):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        deployment = await deploy(stage, version, most=1)
        runs = await stage.submit(version, deployment="local/app")
        instance = await stage.instance()
        lives = await line(stage, version, deployment="local/app")
        other = await stage.submit(version)
        disabled = await change(stage, deployment, version, max_instances=0)
        if deleted:
            stage.deployed.withdraw(disabled)
        instance.listener.done(1, "canceled", None)
        stage.step(1)
        ended = await turns(stage, [runs, *lives])
        assert max(ended) <= SLICE
        assert (len(instance.runs), len(instance.cancelled)) == (1, 1)
        assert {live.seen.status for live in (runs, *lives)} == {Status.CANCELED}
        assert await told(stage) == dict.fromkeys((live.id for live in lives), 1)
        assert not other.over

    play(tmp_path, story)


def test_one_that_is_enabled_again_meanwhile_runs_what_comes_then(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        deployment = await deploy(stage, version, most=1)
        lives = await line(stage, version, deployment="local/app", likeness="f" * 64)
        disabled = await change(stage, deployment, version, max_instances=0)
        await change(stage, disabled, version, max_instances=1)
        late = await stage.submit(version, deployment="local/app", likeness="f" * 64)
        await turns(stage, lives)
        assert {live.seen.status for live in lives} == {Status.CANCELED}
        instance = await stage.instance(len(stage.engine.instances) - 1)
        instance.succeed(1)
        assert await late.wait_over()
        assert late.seen.status is Status.SUCCEEDED

    play(tmp_path, story)


def test_deadlines_of_one_moment_come_in_many_turns(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        lives = await line(stage, version, deadline_us=stage.clock.now_us() + 5_000_000)
        stage.clock.advance(5)
        stage.dispatcher.step(stage.clock.now_us())
        assert max(await turns(stage, lives)) <= SLICE
        assert {live.seen.status for live in lives} == {Status.CANCELED}
        assert await told(stage) == dict.fromkeys((live.id for live in lives), 1)

    play(tmp_path, story)


def test_one_that_cannot_be_written_does_not_keep_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clearing, "WRITTEN_WITHIN_S", 0.0)

    async def story(stage: Stage) -> None:
        lives = await line(stage, await stage.version())
        real, stuck = stage.store.predictions.finish, lives[SLICE - 1]

        async def finish(id: str, *args: Any, **options: Any) -> bool:
            if id == stuck.id:
                raise StorageFailed
            return await real(id, *args, **options)

        monkeypatch.setattr(stage.store.predictions, "finish", finish)
        await break_down(stage)
        others = [live for live in lives if live is not stuck]
        await turns(stage, others)
        assert {live.seen.status for live in others} == {Status.FAILED}
        assert stuck.seen.status is Status.STARTING
        monkeypatch.setattr(stage.store.predictions, "finish", real)
        while not stuck.over:
            stage.clock.advance(1)
            await asyncio.sleep(0)

    play(tmp_path, story)
