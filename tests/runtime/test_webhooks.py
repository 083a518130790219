"""The delivery loop over a real store and a real receiver, with a clock that stands still."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.core.catalog import Account
from stoker.core.errors import StorageFailed
from stoker.core.prediction import Prediction, Status
from stoker.ports.store import Delivery
from stoker.runtime.outbound import Outbound
from stoker.runtime.webhooks import Webhooks
from tests.runtime.stage import Stage, play, until
from tests.web_server import Web

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


async def body_of(prediction: Prediction) -> bytes:
    return msgspec.json.encode({"id": prediction.id, "status": prediction.status, "logs": prediction.logs})


@contextlib.asynccontextmanager
async def sender(stage: Stage, *allow: str) -> AsyncIterator[Webhooks]:
    outbound = Outbound(allow or ("127.0.0.0/8",))
    webhooks = Webhooks(
        store=stage.store, outbound=outbound, clock=stage.clock, render=body_of, agent="stoker/test"
    )
    await stage.store.accounts.create(Account(name="local", created_us=1, webhook_secret=SECRET))
    try:
        yield webhooks
    finally:
        await webhooks.close()
        await outbound.close()


async def attempt(stage: Stage, webhooks: Webhooks) -> int | None:
    """One step and all that it sends; when the next is due."""
    due_us = await webhooks.step(stage.clock.now_us())
    await webhooks.settle()
    return due_us


async def end_one(stage: Stage, web: Web, *events: str) -> str:
    version = await stage.version()
    live = await stage.submit(version, webhook=web.url, webhook_events=events or ("completed",))
    (await stage.instance()).succeed(1)
    await live.wait_over()
    return live.id


def test_a_delivered_message_is_forgotten(tmp_path: Path):
    async def story(stage: Stage) -> None:
        async with sender(stage) as webhooks:
            id = await end_one(stage, web)
            await attempt(stage, webhooks)
            await attempt(stage, webhooks)
        assert [json.loads(post.body) for post in web.posted] == [
            {"id": id, "status": "succeeded", "logs": ""}
        ]

    with Web() as web:
        play(tmp_path, story)


def test_an_answer_of_the_store_that_is_older_than_a_delivery_sends_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def story(stage: Stage) -> None:
        async with sender(stage) as webhooks:
            await end_one(stage, web)
            found = await stage.store.outbox.due(stage.clock.now_us())

            async def due(now_us: int, *, limit: int) -> list[Delivery]:
                """What was read before the delivery ended, which is under way."""
                await webhooks.settle()
                return found

            await webhooks.step(stage.clock.now_us())
            monkeypatch.setattr(stage.store.outbox, "due", due)
            await attempt(stage, webhooks)
        assert len(web.posted) == len(found) == 1

    with Web() as web:
        play(tmp_path, story)


def test_a_failing_receiver_is_tried_for_about_a_minute(tmp_path: Path):
    async def story(stage: Stage) -> None:
        async with sender(stage) as webhooks:
            await end_one(stage, web)
            for pause in (0, 2, 4, 8, 16, 32, 600):
                stage.clock.advance(pause - 0.1)
                await attempt(stage, webhooks)
                stage.clock.advance(0.2)
                await attempt(stage, webhooks)

    with Web() as web:
        web.statuses = [503] * 20
        play(tmp_path, story)
        assert len(web.posted) == 6
        assert len({post.headers["webhook-id"] for post in web.posted}) == 1
        stamps = [int(post.headers["webhook-timestamp"]) for post in web.posted]
        assert stamps == sorted(set(stamps))


def test_what_is_owed_survives_the_server(tmp_path: Path):
    async def before(stage: Stage) -> None:
        async with sender(stage) as webhooks:
            await end_one(stage, web)
            await attempt(stage, webhooks)

    async def after(stage: Stage) -> None:
        stage.clock.advance(60)
        async with sender(stage) as webhooks:
            await attempt(stage, webhooks)

    with Web() as web:
        web.statuses = [500]
        play(tmp_path, before)
        play(tmp_path, after)
        assert len(web.posted) == 2


def test_start_tells_of_the_start_however_late_it_is_sent(tmp_path: Path):
    async def story(stage: Stage) -> None:
        async with sender(stage) as webhooks:
            await end_one(stage, web, "start", "completed")
            await attempt(stage, webhooks)

    with Web() as web:
        play(tmp_path, story)
        assert sorted(json.loads(post.body)["status"] for post in web.posted) == ["processing", "succeeded"]


def test_a_redirect_is_not_followed(tmp_path: Path):
    async def story(stage: Stage) -> None:
        async with sender(stage) as webhooks:
            await end_one(stage, web)
            await attempt(stage, webhooks)
        assert await stage.store.outbox.due(stage.clock.now_us() + 10**9)

    with Web() as web:
        web.statuses = [307]
        play(tmp_path, story)
        assert len(web.posted) == 1


def test_logs_are_told_while_it_runs_at_most_twice_a_second(tmp_path: Path):
    async def story(stage: Stage) -> None:
        async with sender(stage) as webhooks:
            version = await stage.version()
            live = await stage.submit(version, webhook=web.url, webhook_events=("logs",))
            webhooks.watched(live)
            listener = (await stage.instance()).listener
            for number in range(3):
                listener.log(1, f"{number}\n")
                listener.turn_ended()
                await asyncio.to_thread(web.await_posts, 1)
            await until(lambda: stage.clock.sleepers == 1)  # the answer to the first has come, too
            stage.clock.advance(0.6)
            posts = await asyncio.to_thread(web.await_posts, 2)
            listener.done(1, "succeeded", None)
            await live.wait_over()
        assert live.seen.status is Status.SUCCEEDED
        assert [json.loads(post.body)["logs"] for post in posts] == ["0\n", "0\n1\n2\n"]

    with Web() as web:
        play(tmp_path, story)


def test_the_loop_outlives_a_store_that_fails_and_sends_no_flood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def story(stage: Stage) -> None:
        async with sender(stage) as webhooks:
            real_due, real_drop = stage.store.outbox.due, stage.store.outbox.drop
            troubles = iter([StorageFailed(), None])

            async def failing_due(now_us: int, **options: Any) -> Any:
                if trouble := next(troubles, None):
                    raise trouble
                return await real_due(now_us, **options)

            async def failing_drop(id: str) -> None:
                raise StorageFailed

            monkeypatch.setattr(stage.store.outbox, "due", failing_due)
            monkeypatch.setattr(stage.store.outbox, "drop", failing_drop)
            await end_one(stage, web)
            loop = asyncio.create_task(webhooks.run())
            await until(lambda: stage.clock.sleepers == 1)
            stage.clock.advance(1)
            await asyncio.to_thread(web.await_posts, 1)
            await until(lambda: stage.clock.sleepers == 1)
            assert len(web.posted) == 1, "what could not be written down is not sent again at once"
            monkeypatch.setattr(stage.store.outbox, "drop", real_drop)
            stage.clock.advance(1)
            await asyncio.to_thread(web.await_posts, 2)
            await webhooks.settle()
            loop.cancel()
            assert await real_due(stage.clock.now_us() + 10**9) == []

    with Web() as web:
        play(tmp_path, story)
