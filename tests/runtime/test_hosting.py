"""Versions that run in another's instances: what they bring along, and what they must not share."""

from pathlib import Path
from typing import Any

import msgspec

from stoker.core.catalog import Model, Version
from stoker.core.experience import HOUR_US
from stoker.core.hosting import host_of, pool_of
from stoker.core.prediction import Status
from stoker.core.scales import Asked, Target
from stoker.core.scaling import Scale
from stoker.core.trainings import trained_version
from stoker.files.local import LocalBlobs
from stoker.ports.engine import InputFile
from stoker.runtime.live import Live
from tests.runtime.stage import SCHEMA, ScriptedInstance, Stage, play, until
from tests.runtime.test_deployments import deploy

INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {"replicate_weights": {"type": "string", "format": "uri", "nullable": True}},
}


async def base(stage: Stage, *, slots: int = 4, input: dict[str, Any] = INPUT) -> Version:
    """A version whose predictions bring weights."""
    plain = await stage.version("base", slots=slots)
    schemas = SCHEMA["components"]["schemas"] | {"Input": input}
    version = msgspec.structs.replace(plain, id="7" * 64, openapi_schema={"components": {"schemas": schemas}})
    await stage.store.versions.create(version)
    return version


async def trained(stage: Stage, version: Version, name: str, *, hardware: str = "cpu") -> Version:
    """What a training made of it."""
    path = stage.settings.data_dir / f"{name}.txt"
    path.write_text(name)
    blob = await LocalBlobs(stage.settings.data_dir).adopt(path)
    await stage.store.models.create(
        Model(owner="local", name=name, account="local", created_us=1, hardware=hardware)
    )
    made = trained_version(version, weights=blob.sha256, name="w.txt", destination=f"local/{name}", now_us=2)
    await stage.store.versions.create(made)
    known = await stage.store.versions.get(made.id, model=made.model)
    assert known is not None
    return known


async def runs(instance: ScriptedInstance, count: int) -> list[tuple[str, list[str]]]:
    """Of each run: the prediction, and what the weights that it brings say."""
    await until(lambda: len(instance.runs) >= count)
    return [(run.prediction, [words(file) for file in run.files]) for run in instance.runs]


def words(file: InputFile) -> str:
    return Path(file.path).read_text()


async def over(*lives: Live) -> None:
    for live in lives:
        assert await live.wait_over()
        assert live.seen.status is Status.SUCCEEDED


def test_one_instance_serves_a_base_and_all_that_was_trained_from_it(tmp_path: Path):
    async def story(stage: Stage) -> None:
        root = await base(stage)
        first = await trained(stage, root, "first")
        again = await trained(stage, first, "again")
        lives = [await stage.submit(version) for version in (first, again, root)]
        instance = await stage.instance(slots=4)
        asked = await runs(instance, 3)
        assert sorted(asked) == sorted(
            [(lives[0].id, ["first"]), (lives[1].id, ["again"]), (lives[2].id, [])]
        )
        (file,) = next(run.files for run in instance.runs if run.prediction == lives[0].id)
        assert (file.at, file.name, file.lasting) == (["replicate_weights"], "w.txt", True)
        assert (instance.spec.version, instance.spec.weights) == (root.id, None)
        for number in (1, 2, 3):
            instance.succeed(number)
        await over(*lives)
        assert [live.seen.version for live in lives] == [first.id, again.id, root.id]
        assert len(stage.engine.instances) == 1
        assert {one["model"] for one in stage.fleet.instances()} == {root.model}

    play(tmp_path, story)


def test_weights_that_are_known_are_handed_over_in_the_turn_of_the_request(tmp_path: Path):
    async def story(stage: Stage) -> None:
        tuned = await trained(stage, await base(stage), "tuned")
        first = await stage.submit(tuned)
        instance = await stage.instance(slots=4)
        await runs(instance, 1)
        again = stage.dispatcher.submit(stage.prediction(tuned), tuned)
        assert [run.prediction for run in instance.runs] == [first.id, again.id]
        assert instance.runs[1].files == instance.runs[0].files

    play(tmp_path, story)


def test_weights_that_a_caller_brings_go_before_those_of_the_version(tmp_path: Path):
    async def story(stage: Stage) -> None:
        tuned = await trained(stage, await base(stage), "tuned")
        await stage.submit(tuned, input=msgspec.Raw(b'{"replicate_weights": "data:text/plain,mine"}'))
        instance = await stage.instance()
        assert [files for _, files in await runs(instance, 1)] == [[]]
        assert instance.runs[0].input == {"replicate_weights": "data:text/plain,mine"}

    play(tmp_path, story)


def test_weights_of_the_version_go_before_those_that_its_base_has_for_whoever_brings_none(tmp_path: Path):
    async def story(stage: Stage) -> None:
        link = {"type": "string", "format": "uri", "default": "data:text/plain,base"}
        root = await base(stage, input={"type": "object", "properties": {"replicate_weights": link}})
        tuned = await trained(stage, root, "tuned")
        await stage.submit(tuned)
        assert [files for _, files in await runs(await stage.instance(), 1)] == [["tuned"]]

    play(tmp_path, story)


def test_weights_that_every_prediction_has_to_bring_are_not_the_versions(tmp_path: Path):
    async def story(stage: Stage) -> None:
        root = await base(stage, input=INPUT | {"required": ["replicate_weights"]})
        tuned = await trained(stage, root, "tuned")
        assert (host_of(tuned), tuned.recipe.runs_in) == (tuned, None)

    play(tmp_path, story)


def test_whose_weights_are_gone_fails_and_says_so(tmp_path: Path):
    async def story(stage: Stage) -> None:
        tuned = await trained(stage, await base(stage), "tuned")
        await LocalBlobs(stage.settings.data_dir).sweep(set(), older_than_s=-1)
        live = await stage.submit(tuned)
        assert await live.wait_over()
        assert (live.seen.status, live.seen.error) == (
            Status.FAILED,
            "The weights w.txt are gone from the server. Train the version again. (E9243)",
        )

    play(tmp_path, story)


def test_whoever_waited_for_a_base_that_did_not_start_ends_its_pause(tmp_path: Path):
    async def story(stage: Stage) -> None:
        root = await base(stage)
        tuned, other = await trained(stage, root, "tuned"), await trained(stage, root, "other")
        live = await stage.submit(tuned)
        await until(lambda: stage.dispatcher.lines.length(pool_of(tuned)) == 1)
        (await stage.instance(slots=None)).listener.exited("it crashed")
        await live.wait_over()
        assert stage.waits.resume(model=other.model) == []
        (resumed,) = stage.waits.resume(model=tuned.model)
        assert (resumed["model"], resumed["failures"]) == (root.model, 1)
        assert stage.waits.paused() == []

    play(tmp_path, story)


def test_a_deployment_has_instances_of_its_own_and_the_weights_come_both_ways(tmp_path: Path):
    async def story(stage: Stage) -> None:
        tuned = await trained(stage, await base(stage), "tuned")
        await deploy(stage, tuned)
        await stage.submit(tuned, deployment="local/app")
        instance = await stage.instance()
        assert [files for _, files in await runs(instance, 1)] == [["tuned"]]
        assert (instance.spec.version, instance.spec.weights_name) == (tuned.id, "w.txt")

    play(tmp_path, story)


def test_another_hardware_is_another_instance(tmp_path: Path):
    async def story(stage: Stage) -> None:
        root = await base(stage)
        tuned = await trained(stage, root, "tuned", hardware="gpu-h100")
        assert pool_of(tuned) != pool_of(root)
        assert pool_of(tuned).version == pool_of(root).version == root.id

    play(tmp_path, story)


def test_who_asks_two_versions_the_same_gets_two_answers(tmp_path: Path):
    async def story(stage: Stage) -> None:
        root = await base(stage)
        first, second = await trained(stage, root, "first"), await trained(stage, root, "second")
        lives = [await stage.submit(version, likeness="f" * 64) for version in (first, second, first)]
        instance = await stage.instance(slots=4)
        assert [files for _, files in sorted(await runs(instance, 2))] in (
            [["first"], ["second"]], [["second"], ["first"]]
        )  # fmt: skip
        for run in instance.runs:
            instance.succeed(run.number, run.prediction)
        await over(*lives)
        answers = [bytes(live.seen.output or b"") for live in lives]
        assert answers[0] == answers[2] != answers[1]
        assert len(instance.runs) == 2

    play(tmp_path, story)


def test_what_waits_after_a_crash_brings_its_weights_again(tmp_path: Path):
    async def before(stage: Stage) -> None:
        tuned = await trained(stage, await base(stage), "tuned")
        await stage.submit(tuned)

    async def after(stage: Stage) -> None:
        await stage.dispatcher.recover()
        instance = await stage.instance()
        assert [files for _, files in await runs(instance, 1)] == [["tuned"]]

    play(tmp_path, before, crash=True)
    play(tmp_path, after)


def test_instances_that_a_trained_version_asks_for_are_its_bases(tmp_path: Path):
    async def story(stage: Stage) -> None:
        root = await base(stage)
        tuned = await trained(stage, root, "tuned")
        target = Target(kind="model", ref=tuned.model)
        await stage.store.scales.put(target, Asked(min_instances=1))
        await stage.warmth.step(stage.clock.now_us())
        instance = await stage.instance(slots=4)
        assert instance.spec.version == root.id
        assert stage.scales.of(pool_of(root), root).least == 1
        await stage.submit(root)
        await runs(instance, 1)
        instance.succeed(1)
        await stage.store.scales.put(target, Asked())
        await stage.warmth.step(stage.clock.now_us())
        stage.step(61)
        await until(lambda: instance.stopped)

    play(tmp_path, story)


def test_it_asks_for_as_many_as_its_base_may_have(tmp_path: Path):
    async def story(stage: Stage) -> None:
        root = await base(stage)
        tuned = await trained(stage, root, "tuned")
        room, own = Target(kind="model", ref=root.model), Target(kind="model", ref=tuned.model)
        host = Target(kind="version", ref=root.model, version=root.id)
        await stage.store.scales.put(own, Asked(min_instances=5))
        for most, least in ((2, 2), (9, 5)):
            await stage.store.scales.put(room, Asked(max_instances=most, idle_s=7))
            await stage.warmth.step(stage.clock.now_us())
            wanted = Scale(least=least, most=most, idle_s=7)
            assert stage.scales.of(pool_of(tuned), root) == stage.scales.holds(own, host=host) == wanted

    play(tmp_path, story)


def test_use_counts_for_the_version_and_for_its_base(tmp_path: Path):
    async def story(stage: Stage) -> None:
        root = await base(stage)
        tuned = await trained(stage, root, "tuned")
        await stage.submit(tuned)
        hour = stage.clock.now_us() // HOUR_US
        assert [stage.learning.of(one.id).hours for one in (root, tuned)] == [(hour,), (hour,)]

    play(tmp_path, story)


def test_what_was_trained_before_keeps_instances_of_its_own(tmp_path: Path):
    """And so does what is trained from it: its base has weights in it that others must not get."""

    async def story(stage: Stage) -> None:
        tuned = await trained(stage, await base(stage), "tuned")
        recipe = msgspec.structs.replace(tuned.recipe, runs_in=None)
        older = msgspec.structs.replace(tuned, recipe=recipe)
        assert host_of(older) is older
        newer = await trained(stage, older, "newer")
        assert (host_of(newer), newer.recipe.runs_in) == (newer, None)

    play(tmp_path, story)
