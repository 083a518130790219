"""Predictions that ask the same: an earlier one's answer ends them at once, or they share a run."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.core.prediction import INTERRUPTED, Prediction, Status
from stoker.runtime import flights
from stoker.runtime.live import Live
from tests.runtime.stage import Stage, play

LIKE = "f" * 64


def metrics_of(prediction: Prediction) -> dict[str, Any]:
    return msgspec.json.decode(prediction.metrics)


def test_an_earlier_answer_ends_a_prediction_without_a_run_and_free_of_charge(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first = await stage.submit(version, likeness=LIKE)
        instance = await stage.instance()
        stage.clock.advance(5)
        instance.listener.log(1, "hello\n")
        instance.listener.metric(1, "tokens", 3, "incr")
        instance.succeed(1, "done")
        await first.wait_over()
        found = await stage.store.predictions.alike("local", version.id, LIKE, completed_since_us=0)
        assert found is not None and found.id == first.id
        owed = stage.owed
        asked = stage.prediction(
            version, likeness=LIKE, webhook="http://x.test", webhook_events=("completed",)
        )
        live = stage.dispatcher.submit(asked, version, answer=found)
        assert await live.wait_over()
        kept = await stage.store.predictions.get(asked.id)
        assert kept is not None and kept == live.seen
        assert (kept.status, bytes(kept.output or b""), kept.logs) == (
            Status.SUCCEEDED, b'"done"', "hello\n"
        )  # fmt: skip
        assert metrics_of(kept) == {"tokens": 3, "predict_time": 0.0, "total_time": 0.0}
        assert (kept.copied_from, live.came, len(instance.runs)) == (first.id, "hit", 1)
        assert [d.prediction for d in await stage.store.outbox.due(stage.clock.now_us())] == [asked.id]
        assert stage.owed == owed + 1
        model = await stage.store.models.get("local", "m")
        assert model is not None and model.run_count == 1
        assert stage.dispatcher.live(asked.id) is None

    play(tmp_path, story)


async def ended(live: Live) -> tuple[Status, bytes | None, float, str | None]:
    """How it ended: status, output, what it pays for, whose run it was."""
    assert await live.wait_over()
    seen = live.seen
    output = None if seen.output is None else bytes(seen.output)
    return seen.status, output, metrics_of(seen)["predict_time"], seen.copied_from


def test_predictions_that_ask_the_same_share_a_run(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first = await stage.submit(version, likeness=LIKE)
        second = await stage.submit(version, likeness=LIKE)
        instance = await stage.instance()
        instance.listener.log(1, "hello\n")
        instance.listener.output(1, b"1", item=True, files=[])
        stage.clock.advance(2)
        third = await stage.submit(version, likeness=LIKE)
        strangers = [
            await stage.submit(version, likeness=LIKE, account="other"),
            await stage.submit(version, likeness="e" * 64),
            await stage.submit(version),
        ]
        assert (third.logs, third.items, third.seen.status) == ("hello\n", [b"1"], Status.PROCESSING)
        instance.listener.output(1, b"2", item=True, files=[])
        instance.listener.done(1, "succeeded", None)
        assert await ended(first) == (Status.SUCCEEDED, b"[1,2]", 2.0, None)
        for follower in (second, third):
            assert await ended(follower) == (Status.SUCCEEDED, b"[1,2]", 0.0, first.id)
            assert follower.seen.logs == "hello\n"
        assert [live.came for live in (first, second, third)] == ["miss", "shared", "shared"]
        assert not any(live.over for live in strangers)
        assert len(instance.runs) == 2
        model = await stage.store.models.get("local", "m")
        assert model is not None and model.run_count == 1

    play(tmp_path, story)


def test_a_failed_run_fails_for_all_and_is_run_again_for_the_next(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        lives = [await stage.submit(version, likeness=LIKE) for _ in range(2)]
        instance = await stage.instance()
        instance.listener.done(1, "failed", "out of ink")
        for live in lives:
            assert await live.wait_over()
            assert (live.seen.status, live.seen.error) == (Status.FAILED, "out of ink")
        assert await stage.store.predictions.alike("local", version.id, LIKE, completed_since_us=0) is None
        await stage.submit(version, likeness=LIKE)
        assert len(instance.runs) == 2

    play(tmp_path, story)


def test_a_cancelled_leader_leaves_its_run_to_its_followers(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first, second, third = [await stage.submit(version, likeness=LIKE) for _ in range(3)]
        instance = await stage.instance()
        stage.clock.advance(3)
        await stage.dispatcher.cancel(first.id)
        assert await ended(first) == (Status.CANCELED, None, 3.0, None)
        assert instance.cancelled == []
        late = await stage.submit(version, likeness=LIKE)
        stage.clock.advance(4)
        instance.succeed(1)
        assert await ended(second) == (Status.SUCCEEDED, b'"ok"', 4.0, None)
        for follower in (third, late):
            assert await ended(follower) == (Status.SUCCEEDED, b'"ok"', 0.0, first.id)

    play(tmp_path, story)


def test_a_leader_that_is_cancelled_while_it_waits_keeps_its_followers_place(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        running = await stage.submit(version)
        instance = await stage.instance()
        first = await stage.submit(version, likeness=LIKE)
        behind = await stage.submit(version)
        second = await stage.submit(version, likeness=LIKE)
        await stage.dispatcher.cancel(first.id)
        instance.succeed(1)
        await running.wait_over()
        instance.succeed(2, "shared")
        assert (await ended(second))[:2] == (Status.SUCCEEDED, b'"shared"')
        assert not behind.over
        assert (await ended(first))[0] is Status.CANCELED

    play(tmp_path, story)


def test_the_run_stops_when_the_last_of_them_is_cancelled(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        first, second, third = [await stage.submit(version, likeness=LIKE) for _ in range(3)]
        instance = await stage.instance()
        await stage.dispatcher.cancel(second.id)
        await stage.dispatcher.cancel(first.id)
        assert instance.cancelled == []
        await stage.dispatcher.cancel(third.id)
        assert instance.cancelled == [1]
        own = await stage.submit(version, likeness=LIKE)
        assert own.came == "miss"
        instance.listener.done(1, "canceled", None)
        instance.succeed(2)
        assert (await ended(own))[0] is Status.SUCCEEDED

    play(tmp_path, story)


def test_waiting_ones_share_again_after_a_crash_and_running_ones_have_failed(tmp_path: Path):
    ids: list[str] = []

    async def story(stage: Stage) -> None:
        version = await stage.version()
        ids.extend([(await stage.submit(version, likeness=LIKE)).id for _ in range(2)])
        instance = await stage.instance()
        await stage.store.sync()
        assert len(instance.runs) == 1
        for _ in range(2):
            stage.clock.advance(1)
            ids.append((await stage.submit(version, likeness="e" * 64)).id)

    async def later(stage: Stage) -> None:
        await stage.dispatcher.recover()
        for id in ids[:2]:
            kept = await stage.store.predictions.get(id)
            assert kept is not None and (kept.status, kept.error) == (Status.FAILED, INTERRUPTED)
        lives = [live for id in ids[2:] if (live := stage.dispatcher.live(id)) is not None]
        instance = await stage.instance()
        instance.succeed(1)
        assert await ended(lives[0]) == (Status.SUCCEEDED, b'"ok"', 0.0, None)
        assert await ended(lives[1]) == (Status.SUCCEEDED, b'"ok"', 0.0, ids[2])

    play(tmp_path, story, crash=True)
    play(tmp_path, later)


def test_no_more_than_so_many_share_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flights, "MOST_SHARING", 2)

    async def story(stage: Stage) -> None:
        version = await stage.version(slots=2)
        lives = [await stage.submit(version, likeness=LIKE) for _ in range(5)]
        instance = await stage.instance(slots=2)
        assert [run.prediction for run in instance.runs] == [lives[0].id, lives[3].id]
        instance.succeed(1, "first")
        instance.succeed(2, "second")
        sources = [(await ended(live))[3] for live in lives]
        assert sources == [None, lives[0].id, lives[0].id, None, lives[3].id]

    play(tmp_path, story)
