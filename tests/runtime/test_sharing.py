"""Predictions that ask the same: an earlier one's answer ends them at once, or they share a run."""

from pathlib import Path
from typing import Any

import msgspec

from stoker.core.prediction import Prediction, Status
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
