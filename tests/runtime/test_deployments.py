"""Deployments at work: instances of their own, releases that take over, disabling, instances that stay."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.core.catalog import Version
from stoker.core.deployments import Change, Deployment, Release, next_release
from stoker.core.errors import Conflict, NotFound
from stoker.core.prediction import Prediction, Status
from stoker.runtime.live import Live
from tests.runtime.stage import ScriptedInstance, Stage, play, until

IDLE_S = 60.0


async def deploy(stage: Stage, version: Version, *, least: int = 0, most: int = 2) -> Deployment:
    """A new deployment of the version, current."""
    now_us = stage.clock.now_us()
    release = Release(
        number=1,
        model=version.model,
        version=version.id,
        hardware="cpu",
        min_instances=least,
        max_instances=most,
        created_us=now_us,
        created_by="local",
    )
    deployment = Deployment(owner="local", name="app", created_us=now_us, release=release)
    assert await stage.store.deployments.create(deployment)
    stage.deployed.deploy(deployment, version)
    return deployment


async def change(stage: Stage, deployment: Deployment, version: Version, **fields: Any) -> Deployment:
    """The deployment at its next release, current."""
    asked = Change(model=version.model, version=version.id, **fields)
    release = next_release(deployment.release, asked, by="local", now_us=stage.clock.now_us())
    assert release is not None
    assert await stage.store.deployments.release(deployment.ref, release)
    changed = msgspec.structs.replace(deployment, release=release)
    stage.deployed.deploy(changed, version)
    return changed


async def predict(stage: Stage, version: Version) -> Live:
    return await stage.submit(version, deployment="local/app")


async def stored(stage: Stage, live: Live) -> Prediction:
    await live.wait_over()
    found = await stage.store.predictions.get(live.id)
    assert found is not None
    return found


def ids_of(instance: ScriptedInstance) -> list[str]:
    return [run.prediction for run in instance.runs]


def test_a_deployment_has_instances_of_its_own(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await deploy(stage, version)
        plain, deployed = await stage.submit(version), await predict(stage, version)
        first, second = await stage.instance(0), await stage.instance(1)
        assert (ids_of(first), ids_of(second)) == ([plain.id], [deployed.id])
        first.succeed(1)
        waits = await predict(stage, version)
        assert waits.id not in ids_of(first)
        second.succeed(1)
        assert ids_of(second) == [deployed.id, waits.id]
        shown = {(one["version"], one["deployment"]) for one in stage.fleet.instances()}
        assert shown == {(version.id, None), (version.id, "local/app")}

    play(tmp_path, story)


def test_a_new_release_takes_over_without_losing_a_prediction(tmp_path: Path):
    async def story(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        deployment = await deploy(stage, old)
        running, waiting = await predict(stage, old), await predict(stage, old)
        before = await stage.instance(0)
        await change(stage, deployment, new)
        late = await predict(stage, new)
        after = await stage.instance(1)
        assert ids_of(after) == [late.id]
        after.succeed(1)
        before.succeed(1)
        assert ids_of(before) == [running.id, waiting.id]
        stage.step(1)
        assert not before.stopped
        before.succeed(2)
        stage.step(0.5)
        await until(lambda: before.stopped)
        assert not after.stopped
        found = [await stored(stage, live) for live in (running, waiting, late)]
        assert [(p.status, p.version) for p in found] == [
            (Status.SUCCEEDED, version.id) for version in (old, old, new)
        ]

    play(tmp_path, story)


def test_what_was_accepted_before_a_release_but_comes_in_line_after_it_runs_as_accepted(tmp_path: Path):
    """Its file inputs were fetched meanwhile: the old instance is gone, another one starts for it."""

    async def story(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        deployment = await deploy(stage, old)
        await change(stage, deployment, new)
        stage.step(1)
        late = await predict(stage, old)
        instance = await stage.instance(0)
        instance.succeed(1)
        assert (await stored(stage, late)).version == old.id

    play(tmp_path, story)


def test_an_old_instance_that_dies_is_replaced_for_what_still_waits(tmp_path: Path):
    async def story(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        deployment = await deploy(stage, old)
        _, waiting = await predict(stage, old), await predict(stage, old)
        before = await stage.instance(0)
        await change(stage, deployment, new)
        before.kill("it ran out of memory")
        again = await stage.instance(1)
        again.succeed(1)
        assert (await stored(stage, waiting)).status is Status.SUCCEEDED

    play(tmp_path, story)


def test_a_release_back_to_the_old_version_keeps_its_instance(tmp_path: Path):
    async def story(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        first = await deploy(stage, old)
        running = await predict(stage, old)
        before = await stage.instance(0)
        second = await change(stage, first, new)
        await change(stage, second, old)
        before.succeed(1)
        await running.wait_over()
        stage.step(1)
        assert not before.stopped
        again = await predict(stage, old)
        assert ids_of(before) == [running.id, again.id]

    play(tmp_path, story)


def test_other_numbers_of_instances_replace_none(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        deployment = await deploy(stage, version)
        running = await predict(stage, version)
        instance = await stage.instance(0)
        await change(stage, deployment, version, min_instances=1, max_instances=9)
        instance.succeed(1)
        await running.wait_over()
        stage.step(IDLE_S * 10)
        assert not instance.stopped
        assert len(stage.engine.instances) == 1

    play(tmp_path, story)


def test_a_release_that_comes_late_changes_nothing(tmp_path: Path):
    async def story(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        first = await deploy(stage, old)
        await change(stage, first, new, min_instances=1)
        stage.deployed.deploy(first, old)
        await stage.instance(0)
        assert [one["version"] for one in stage.fleet.instances()] == [new.id]
        stage.step(IDLE_S * 2)
        assert [one["version"] for one in stage.fleet.instances()] == [new.id]

    play(tmp_path, story)


def test_disabling_cancels_what_waits_and_runs_and_takes_nothing_new(tmp_path: Path):
    async def story(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        first = await deploy(stage, old)
        under_old = await predict(stage, old)
        before = await stage.instance(0)
        second = await change(stage, first, new)
        running, waiting = await predict(stage, new), await predict(stage, new)
        after = await stage.instance(1)
        plain = await stage.submit(new)
        disabled = await change(stage, second, new, min_instances=0, max_instances=0)
        for live in (under_old, running, waiting):
            assert (await stored(stage, live)).status is Status.CANCELED
        assert (before.cancelled, after.cancelled) == ([1], [1])
        assert ids_of(after) == [running.id]
        with pytest.raises(Conflict, match="disabled"):
            stage.dispatcher.submit(stage.prediction(new, deployment="local/app"), new)
        for instance in (before, after):
            instance.listener.done(1, "canceled", None)
        stage.step(0.5)
        await until(lambda: before.stopped and after.stopped)
        shared = await stage.instance(2)
        shared.succeed(1)
        assert (await stored(stage, plain)).status is Status.SUCCEEDED
        await change(stage, disabled, new, max_instances=1)
        again = await predict(stage, new)
        (await stage.instance(3)).succeed(1)
        assert (await stored(stage, again)).status is Status.SUCCEEDED

    play(tmp_path, story)


def test_an_instance_that_boots_for_a_disabled_deployment_goes_when_it_is_up(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        deployment = await deploy(stage, version, least=1)
        await change(stage, deployment, version, min_instances=0, max_instances=0)
        instance = await stage.instance(0)
        stage.step(0.5)
        await until(lambda: instance.stopped)
        stage.step(IDLE_S)
        assert stage.fleet.instances() == []

    play(tmp_path, story)


def test_a_deleted_deployment_takes_nothing_and_finishes_what_it_has(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        deployment = await deploy(stage, version, least=1)
        running = await predict(stage, version)
        instance = await stage.instance(0)
        stage.deployed.withdraw(deployment)
        with pytest.raises(NotFound):
            stage.dispatcher.submit(stage.prediction(version, deployment="local/app"), version)
        instance.succeed(1)
        assert (await stored(stage, running)).status is Status.SUCCEEDED
        stage.step(0.5)
        await until(lambda: instance.stopped)

    play(tmp_path, story)


def test_an_instance_is_kept_without_work_and_replaced_when_it_dies(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await deploy(stage, version, least=1)
        first = await stage.instance(0)
        stage.step(IDLE_S * 100)
        assert not first.stopped
        first.kill("it ran out of memory")
        second = await stage.instance(1)
        live = await predict(stage, version)
        assert ids_of(second) == [live.id]

    play(tmp_path, story)


def test_a_new_release_with_a_kept_instance_starts_it_and_ends_the_old_one(tmp_path: Path):
    async def story(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        deployment = await deploy(stage, old, least=1)
        before = await stage.instance(0)
        await change(stage, deployment, new)
        await until(lambda: before.stopped)
        after = await stage.instance(1)
        live = await predict(stage, new)
        assert ids_of(after) == [live.id]

    play(tmp_path, story)


def test_without_a_minimum_any_more_an_idle_instance_goes(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        deployment = await deploy(stage, version, least=1)
        instance = await stage.instance(0)
        await change(stage, deployment, version, min_instances=0)
        stage.step(IDLE_S - 1)
        assert not instance.stopped
        stage.step(1)
        await until(lambda: instance.stopped)

    play(tmp_path, story)


def test_a_kept_instance_that_cannot_start_is_tried_again_after_the_pause(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await deploy(stage, version, least=1)
        first = await stage.instance(0, slots=None)
        first.listener.setup_failed("no weights")
        first.listener.exited("setup failed")
        stage.step(0.5)
        assert len(stage.engine.instances) == 1
        stage.step(400)
        await stage.instance(1)

    play(tmp_path, story)


def test_after_a_restart_kept_instances_come_up_and_what_waited_runs_as_accepted(tmp_path: Path):
    async def before(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        deployment = await deploy(stage, old)
        await predict(stage, old)
        await change(stage, deployment, new, min_instances=1)

    async def after(stage: Stage) -> None:
        old, new = await stage.version("old"), await stage.version("new")
        await stage.deployed.recover()
        await stage.dispatcher.recover()
        waiting = await stage.store.predictions.waiting()
        await stage.instance(0)
        await stage.instance(1)
        shown = {(one["version"], one["deployment"]) for one in stage.fleet.instances()}
        assert shown == {(old.id, "local/app"), (new.id, "local/app")}
        runs = [run.prediction for instance in stage.engine.instances for run in instance.runs]
        assert runs == [prediction.id for prediction in waiting]
        stage.step(1)
        late = await predict(stage, new)
        assert late.id in [run.prediction for one in stage.engine.instances for run in one.runs]

    play(tmp_path, before, crash=True)
    play(tmp_path, after)


def test_after_a_restart_what_waits_for_a_disabled_deployment_is_cancelled(tmp_path: Path):
    """The server died between the release and the cancelling."""

    async def before(stage: Stage) -> None:
        version = await stage.version()
        deployment = await deploy(stage, version)
        await predict(stage, version)
        release = next_release(deployment.release, Change(max_instances=0), by="local", now_us=1)
        assert release is not None
        await stage.store.deployments.release(deployment.ref, release)

    async def after(stage: Stage) -> None:
        waiting = await stage.store.predictions.waiting()
        await stage.deployed.recover()
        await stage.dispatcher.recover()
        live = stage.dispatcher.live(waiting[0].id)
        assert live is not None
        assert (await stored(stage, live)).status is Status.CANCELED
        assert stage.engine.instances == []

    play(tmp_path, before, crash=True)
    play(tmp_path, after)
