"""Instances that are there before anybody asks, and idle times and numbers that people chose."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stoker.core.catalog import Version
from stoker.core.experience import HOUR_US, Experience
from stoker.core.hosting import pool_of
from stoker.core.scales import Asked, Target, Warm
from stoker.core.scaling import Scale
from tests.runtime.stage import Stage, play, until
from tests.runtime.test_deployments import deploy


async def ask(stage: Stage, version: Version, **asked: object) -> None:
    await stage.store.scales.put(Target(kind="model", ref=version.model), Asked(**asked))  # type: ignore[arg-type]
    await stage.warmth.step(stage.clock.now_us())


def at(stage: Stage) -> datetime:
    return datetime.fromtimestamp(stage.clock.now_us() / 1e6, UTC)


def test_what_is_to_be_warm_boots_unasked_stays_and_goes_in_the_end(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        until_us = stage.clock.now_us() + 3600_000_000
        await ask(stage, version, warm=Warm(until_us=until_us))
        instance = await stage.instance()
        stage.step(3500)
        await stage.warmth.step(stage.clock.now_us())
        assert not instance.stopped
        live = await stage.submit(version)
        assert len(instance.runs) == 1
        instance.succeed(1)
        await live.wait_over()
        stage.step(101)
        await stage.warmth.step(stage.clock.now_us())
        stage.step(61)
        await until(lambda: instance.stopped)

    play(tmp_path, story)


def test_a_schedule_is_warm_in_its_hours_and_a_boot_before(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        stage.learning._known[version.id] = Experience(boot_s=100)
        begins = (at(stage) + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
        hours = f"{begins.hour}-{begins.hour + 1}" if begins.hour < 23 else "23-24"
        await ask(stage, version, warm=Warm(schedule=f"daily {hours}", timezone="UTC"))
        stage.clock.advance((begins - at(stage)).total_seconds() - 110)
        await stage.warmth.step(stage.clock.now_us())
        assert not stage.fleet.members()
        stage.clock.advance(20)
        await stage.warmth.step(stage.clock.now_us())
        await stage.instance()
        stage.clock.advance(90 + 3600)
        await stage.warmth.step(stage.clock.now_us())
        stage.step(1300)
        await until(lambda: not stage.fleet.members())

    play(tmp_path, story)


def test_a_habit_is_warm_when_it_comes_round(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        now_hour = stage.clock.now_us() // HOUR_US
        hours = tuple(now_hour - 24 * day for day in range(14, 0, -1))
        stage.learning._known[version.id] = Experience(hours=hours)
        await ask(stage, version, warm=Warm(adaptive=True, timezone="UTC"))
        await stage.instance()
        stage.clock.advance(2 * 3600)
        await stage.warmth.step(stage.clock.now_us())
        stage.step(61)
        await until(lambda: not stage.fleet.members())

    play(tmp_path, story)


def test_use_is_learned_by_the_hour(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        for _ in range(3):
            await stage.submit(version)
        stage.clock.advance(3600)
        await stage.submit(version)
        hour = stage.clock.now_us() // HOUR_US
        assert stage.learning.of(version.id).hours == (hour - 1, hour)

    play(tmp_path, story)


def test_numbers_and_idle_time_hold_at_once_also_for_what_runs(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        live = await stage.submit(version)
        instance = await stage.instance()
        instance.succeed(1)
        await live.wait_over()
        await ask(stage, version, idle_s=300.0, max_instances=2)
        stage.step(250)
        assert not instance.stopped
        await stage.store.scales.put(Target(kind="account", ref="local"), Asked(idle_s=10.0))
        await ask(stage, version, max_instances=2)
        stage.step(0.5)
        await until(lambda: instance.stopped)
        assert stage.scales.of(pool_of(version), version).most == 2

    play(tmp_path, story)


def test_what_a_version_asks_for_goes_before_its_model(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        own = Target(kind="version", ref=version.model, version=version.id)
        await stage.store.scales.put(own, Asked(idle_s=1.0))
        await ask(stage, version, idle_s=2.0, min_instances=2)
        scale = stage.scales.of(pool_of(version), version)
        assert (scale.least, scale.idle_s) == (2, 1.0)
        await until(lambda: len(stage.engine.instances) == 2)

    play(tmp_path, story)


def test_what_a_model_keeps_moves_to_its_latest_version(tmp_path: Path):
    async def story(stage: Stage) -> None:
        first = await stage.version()
        await ask(stage, first, min_instances=1)
        before = await stage.instance()
        second = await stage.another(first)
        await stage.warmth.step(stage.clock.now_us())
        after = await stage.instance(1)
        assert (before.spec.version, after.spec.version) == (first.id, second.id)
        stage.step(61)
        await until(lambda: before.stopped)
        assert not after.stopped

    play(tmp_path, story)


def test_a_deployments_idle_time_is_its_own_then_its_accounts(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        made = await deploy(stage, version)
        for kind, idle_s in (("account", 7.0), ("deployment", 3.0)):
            ref = made.owner if kind == "account" else made.ref
            await stage.store.scales.put(Target(kind=kind, ref=ref), Asked(idle_s=idle_s))  # type: ignore[arg-type]
            await stage.warmth.step(stage.clock.now_us())
            group = stage.fleet.group(made.pool)
            assert group is not None and group.scale.idle_s == idle_s
            assert group.scale.most == made.release.max_instances

    play(tmp_path, story)


def test_after_a_restart_what_is_to_be_warm_is(tmp_path: Path):
    async def asked(stage: Stage) -> None:
        await ask(stage, await stage.version(), min_instances=1)

    async def later(stage: Stage) -> None:
        await stage.warmth.step(stage.clock.now_us())
        await asyncio.wait_for(stage.instance(), 10)

    play(tmp_path, asked)
    play(tmp_path, later)


def test_what_holds_is_told_of_each_that_can_ask(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        deployment = await deploy(stage, version, least=1, most=3)
        model = Target(kind="model", ref=version.model)
        one = Target(kind="version", ref=version.model, version=version.id)
        account = Target(kind="account", ref="local")
        app = Target(kind="deployment", ref=deployment.ref)
        server = Scale(least=0, most=4, idle_s=60.0)
        assert {stage.scales.holds(target) for target in (model, one, account)} == {server}
        assert stage.scales.holds(app, deployment) == Scale(least=1, most=3, idle_s=60.0)
        await stage.store.scales.put(account, Asked(idle_s=5.0, max_instances=2))
        await stage.store.scales.put(one, Asked(max_instances=1, idle_s=33.0))
        await ask(stage, version, idle_s=90.0, warm=Warm(instances=2))
        assert stage.scales.holds(account) == Scale(least=0, most=2, idle_s=5.0)
        assert stage.scales.holds(model) == Scale(least=2, most=2, idle_s=33.0)
        assert stage.scales.holds(one) == Scale(least=2, most=2, idle_s=33.0)
        assert stage.scales.holds(app, deployment).idle_s == 5.0

    play(tmp_path, story)
