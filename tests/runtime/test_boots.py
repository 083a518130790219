"""Where a boot's time goes: every stage is measured, and kept for people."""

from pathlib import Path

from stoker.core.errors import BuildFailed
from stoker.core.scaling import Pool
from stoker.runtime.boots import MOST, Boot, Boots
from tests.runtime.stage import Stage, play, until


def test_every_stage_is_measured(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        version = await stage.version()
        await stage.submit(version)
        instance = await stage.instance(slots=None)
        (member,) = stage.fleet.members()
        assert (member.stage, member.boot.start) == ("process", "plain")
        for next_stage, seconds in (("imports", 0.5), ("setup", 2.0)):
            stage.clock.advance(seconds)
            instance.listener.reached(next_stage)
            assert member.stage == next_stage
        stage.clock.advance(3.0)
        instance.listener.ready(slots=1)
        stage.clock.advance(0.25)
        instance.listener.done(1, "succeeded", None)
        (boot,) = stage.boots.latest(model=version.model)
        assert (boot.stage, boot.error, boot.instance) == ("ready", None, instance.id)
        assert boot.took_us == {
            "queue": 0, "environment": 0, "process": 500_000, "imports": 2_000_000, "setup": 3_000_000,
            "first_run": 250_000,
        }  # fmt: skip

    play(tmp_path, act)


def test_a_boot_that_fails_says_where_and_why(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await stage.submit(await stage.version())
        instance = await stage.instance(slots=None)
        instance.listener.reached("imports")
        instance.listener.setup_failed("no weights")
        (boot,) = stage.boots.latest()
        assert (boot.stage, boot.error) == ("failed", "no weights")
        assert list(boot.took_us) == ["queue", "environment", "process", "imports"]

    play(tmp_path, act)


def test_what_could_not_be_started_at_all(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.engine.refuses = BuildFailed("no room on the disk")
        await stage.submit(await stage.version())
        await until(lambda: stage.boots.latest() != [] and stage.boots.latest()[0].stage == "failed")
        assert stage.boots.latest()[0].error == "no room on the disk"

    play(tmp_path, act)


def test_the_latest_are_kept_newest_first(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        version, boots = await stage.version(), Boots()
        for number in range(MOST + 2):
            boots.add(
                Boot(instance=str(number), version=version, pool=Pool(version.id), wanted_us=0, begun_us=0)
            )
        found = boots.latest()
        assert [len(found), found[0].instance, found[-1].instance] == [MOST, str(MOST + 1), "2"]
        assert boots.latest(model="local/other") == []

    play(tmp_path, act)
