"""Trainings under dispatch: an instance of its own that ends with it, and a version that nothing undoes."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import msgspec

from stoker.core.catalog import FileRecord, Model, Version
from stoker.core.prediction import Prediction, Status
from stoker.ports.engine import OutputFile
from stoker.runtime.live import Live
from stoker.runtime.trainings import NO_DESTINATION, NO_WEIGHTS
from tests.runtime.stage import ScriptedInstance, Stage, play, until


async def trainer(stage: Stage, *, slots: int = 1) -> Version:
    """A version that can be trained; local/tuned is there to take what comes of it."""
    await stage.store.models.create(Model(owner="local", name="tuned", account="local", created_us=1))
    plain = await stage.version(slots=slots)
    recipe = msgspec.structs.replace(plain.recipe, train="train.py:train")
    version = msgspec.structs.replace(plain, id="7" * 64, recipe=recipe)
    await stage.store.versions.create(version)
    return version


async def submit(stage: Stage, version: Version, *, destination: str = "local/tuned", **fields: Any) -> Live:
    return await stage.submit(version, kind="training", destination=destination, **fields)


async def give_weights(stage: Stage, instance: ScriptedInstance, live: Live) -> None:
    """The model gives a file (kept here as dispatch would have) and is done."""
    record = FileRecord(
        id=f"weights-{live.id}",
        account="local",
        origin="output",
        name="w.bin",
        content_type="application/octet-stream",
        size_bytes=1,
        sha256="e" * 64,
        created_us=1,
        expires_us=2,
        prediction=live.id,
    )
    await stage.store.files.create(record)
    url = stage.links.content(record.id, record.name, expires_us=2)
    instance.succeed(1, {"weights": url})


def test_a_training_starts_an_instance_that_trains_and_that_ends_with_it(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await trainer(stage, slots=8)
        live = await submit(stage, version)
        instance = await stage.instance()
        spec = instance.spec
        assert (spec.mode, spec.predictor, spec.slots) == ("train", "train.py:train", 1)
        await give_weights(stage, instance, live)
        await live.wait_over()
        assert live.seen.status is Status.SUCCEEDED
        await until(lambda: instance.stopped)
        stage.step(1)
        assert stage.fleet.instances() == []

    play(tmp_path, story)


def test_two_trainings_and_a_prediction_have_an_instance_each(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await trainer(stage)
        lives = [await submit(stage, version), await submit(stage, version), await stage.submit(version)]
        instances = [await stage.instance(number) for number in range(3)]
        await until(lambda: all(instance.runs for instance in instances))
        ran = [instance.runs[0].prediction for instance in instances]
        assert ran == [live.id for live in lives]
        assert [instance.spec.mode for instance in instances] == ["train", "train", "predict"]

    play(tmp_path, story)


def test_the_new_version_is_the_base_with_the_weights(tmp_path: Path):
    async def story(stage: Stage) -> None:
        base = await trainer(stage)
        live = await submit(stage, base)
        await give_weights(stage, await stage.instance(), live)
        await live.wait_over()
        assert live.seen.output is not None
        output = msgspec.json.decode(live.seen.output)
        owner_name, _, id = output["version"].partition(":")
        made = await stage.store.versions.get(id, model=owner_name)
        assert made is not None
        assert (made.model, made.source, made.openapi_schema) == (
            "local/tuned",
            base.source,
            base.openapi_schema,
        )
        assert (made.recipe.weights, made.recipe.weights_name) == ("e" * 64, "w.bin")
        assert made.recipe.trained_from == f"{base.model}:{base.id}"
        assert made.recipe.environment == base.recipe.environment
        kept = await stage.store.predictions.get(live.id)
        assert kept is not None
        assert kept.output == live.seen.output

    play(tmp_path, story)


def test_a_cancel_that_comes_when_the_version_is_being_made_is_too_late(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await submit(stage, await trainer(stage))
        await give_weights(stage, await stage.instance(), live)
        ended = await stage.dispatcher.cancel(live.id)
        assert ended is not None
        assert ended.status is Status.SUCCEEDED

    play(tmp_path, story)


def test_nothing_is_shown_of_what_it_gave_before_it_is_a_version(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await submit(stage, await trainer(stage))
        instance = await stage.instance()
        instance.listener.output(1, b'"half"', item=True, files=[])
        assert live.view().output is None

    play(tmp_path, story)


def test_without_weights_or_destination_it_has_failed(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await trainer(stage)
        nothing = await submit(stage, version)
        (await stage.instance(0)).succeed(1, {"notes": "none"})
        homeless = await submit(stage, version, destination="local/gone")
        await give_weights(stage, await stage.instance(1), homeless)
        for live, error in ((nothing, NO_WEIGHTS), (homeless, NO_DESTINATION)):
            await live.wait_over()
            assert (live.seen.status, live.seen.error) == (Status.FAILED, error)

    play(tmp_path, story)


def test_cancelled_while_its_instance_starts(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await submit(stage, await trainer(stage))
        instance = await stage.instance(slots=None)
        await stage.dispatcher.cancel(live.id)
        stage.step(1)
        await until(lambda: instance.stopped)
        assert instance.runs == []

    play(tmp_path, story)


def test_metrics_are_shown_as_they_are_recorded_and_those_of_predictions_at_the_end(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await trainer(stage)
        lives = [await submit(stage, version), await stage.submit(version)]
        for number, shown in enumerate(({"loss": 2.5}, {})):
            instance, live = await stage.instance(number), lives[number]
            await until(lambda instance=instance: bool(instance.runs))
            instance.listener.metric(1, "loss", 2.5, "replace")
            assert msgspec.json.decode(live.view().metrics) == shown

    play(tmp_path, story)


def yield_weights(folder: Path, instance: ScriptedInstance, content: str) -> None:
    """A checkpoint, as a trainer yields it."""
    path = folder / content
    path.write_text(content)
    file = OutputFile(["weights"], str(path), f"{content}.bin")
    instance.listener.output(1, b'{"weights":null,"step":1}', item=True, files=[file])


def link_in(training: Prediction) -> str:
    output = msgspec.json.decode(training.output) if training.output is not None else {}
    assert set(output) <= {"weights"}
    return output.get("weights", "")


def test_the_last_checkpoint_is_shown_and_stays_when_the_training_is_cancelled(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await submit(stage, await trainer(stage))
        instance = await stage.instance()
        await until(lambda: bool(instance.runs))
        yield_weights(tmp_path, instance, "one")
        await until(lambda: "one.bin" in link_in(live.view()))
        yield_weights(tmp_path, instance, "two")
        await until(lambda: "two.bin" in link_in(live.view()))
        instance.listener.output(1, b'"no file of its own"', item=True, files=[])
        await stage.dispatcher.cancel(live.id)
        await live.wait_over()
        assert live.seen.status is Status.CANCELED
        assert "two.bin" in link_in(live.seen)

    play(tmp_path, story)


def test_a_checkpoint_survives_the_server(tmp_path: Path):
    ids: list[str] = []

    async def before(stage: Stage) -> None:
        live = await submit(stage, await trainer(stage))
        instance = await stage.instance()
        await until(lambda: bool(instance.runs))
        ids.append(live.id)
        yield_weights(tmp_path, instance, "one")
        while not link_in(await stored(stage)):  # noqa: ASYNC110 - the store tells nobody of a write
            await asyncio.sleep(0)

    async def after(stage: Stage) -> None:
        await stage.dispatcher.recover()
        found = await stored(stage)
        assert found.status is Status.FAILED
        assert "one.bin" in link_in(found)

    async def stored(stage: Stage) -> Prediction:
        found = await stage.store.predictions.get(ids[0])
        assert found is not None
        return found

    with contextlib.suppress(asyncio.CancelledError):
        play(tmp_path, before, crash=True)
    play(tmp_path, after)


def test_cancelled_before_there_is_anything_to_stop(tmp_path: Path):
    async def story(stage: Stage) -> None:
        gate = stage.workspace.gate = asyncio.Event()
        live = await submit(stage, await trainer(stage))
        await stage.dispatcher.cancel(live.id)
        stage.step(1)
        gate.set()
        instance = await stage.instance(slots=None)
        await until(lambda: instance.stopped)

    play(tmp_path, story)


def test_it_may_run_longer_than_a_prediction_but_not_for_ever(tmp_path: Path):
    async def story(stage: Stage) -> None:
        live = await submit(stage, await trainer(stage))
        instance = await stage.instance()
        await until(lambda: bool(instance.runs))
        stage.step(60)
        assert not live.over
        stage.step(60)
        await live.wait_over()
        assert live.seen.error == "Training timed out after 100 seconds (E6716)"
        assert instance.cancelled == [1]

    play(tmp_path, story, run_timeout_s=1, train_timeout_s=100)


def test_what_waits_when_the_server_dies_trains_after_the_next_start(tmp_path: Path):
    async def before(stage: Stage) -> None:
        stage.workspace.gate = asyncio.Event()
        await submit(stage, await trainer(stage))

    async def after(stage: Stage) -> None:
        await stage.dispatcher.recover()
        instance = await stage.instance()
        await until(lambda: bool(instance.runs))
        assert instance.spec.mode == "train"
        live = stage.dispatcher.live(instance.runs[0].prediction)
        assert live is not None
        await give_weights(stage, instance, live)
        await live.wait_over()
        assert live.seen.status is Status.SUCCEEDED

    with contextlib.suppress(asyncio.CancelledError):
        play(tmp_path, before, crash=True)
    play(tmp_path, after)
