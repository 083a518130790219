"""Instances come, go and make room: real model processes, and a clock that the test moves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from stoker.core.placement import SHORTEST_STAY_S, Machine
from stoker.core.scales import Asked, Target, Warm
from tests.processes import is_alive
from tests.runtime.stage import play
from tests.scenarios.stage import RealStage, given, until


def test_an_idle_process_ends_after_a_minute_and_not_before(tmp_path: Path):
    async def story(stage: RealStage) -> None:
        version = await stage.version()
        pid = await stage.run(version)
        stage.step(59)
        assert await stage.run(version) == pid
        stage.step(59)
        assert [member.state for member in stage.fleet.members()] == ["ready"]
        stage.step(1.5)
        await until(lambda: not stage.fleet.members())
        assert not is_alive(pid)
        assert await stage.run(version) != pid

    play(tmp_path, story, make=RealStage)


def test_a_long_line_gets_more_processes_and_an_idle_time_takes_all_but_the_least(tmp_path: Path):
    async def story(stage: RealStage) -> None:
        version = await stage.version()
        await stage.store.scales.put(Target(kind="model", ref=version.model), Asked(min_instances=1))
        await stage.warmth.step(stage.clock.now_us())
        first = await stage.run(version, took_s=30)
        gate = stage.gate()
        lives = [await stage.ask(version, gate) for _ in range(12)]
        stage.step(0.5)
        await until(lambda: sum("pid" in live.logs for live in lives) == 4)
        assert len(stage.fleet.members()) == 4, "and no more than max_instances"
        gate.touch()
        ran = {await given(live) for live in lives}
        assert first in ran
        assert len(ran) == 4
        stage.step(61)
        await until(lambda: len(stage.fleet.members()) == 1)
        assert sum(map(is_alive, ran)) == 1
        stage.step(3600)
        assert [member.state for member in stage.fleet.members()] == ["ready"]

    play(tmp_path, story, make=RealStage, max_instances=4)


def test_the_least_valuable_idle_process_makes_room_and_is_gone_before(tmp_path: Path):
    async def story(stage: RealStage) -> None:
        stage.room_for(2)
        old, recent, wanted = [await stage.version(name) for name in ("stubborn", "recent", "wanted")]
        pids = [await stage.run(old)]
        stage.step(SHORTEST_STAY_S)
        pids.append(await stage.run(recent))
        stage.step(SHORTEST_STAY_S)
        assert all(map(is_alive, pids)), "there is room for both"
        gate = stage.gate()
        live = await stage.ask(wanted, gate)
        await until(lambda: "pid" in live.logs)
        assert stage.engine.lived[2] == [False, True], "only when the old one's process was gone"
        gate.touch()
        await given(live)
        assert [member.version.model for member in stage.fleet.members()] == [recent.model, wanted.model]

    play(tmp_path, story, make=RealStage)


def test_room_that_other_programs_take_is_waited_for(tmp_path: Path):
    """By the books there is room; the machine says that there is none, until there is."""

    async def story(stage: RealStage) -> None:
        stage.room_for(2)
        version = await stage.version()
        there = stage.host.machine
        stage.host.machine = Machine(memory_bytes=there.memory_bytes, free_bytes=200 << 20)
        gate = stage.gate()
        gate.touch()
        live = await stage.ask(version, gate)
        stage.step(1)
        assert not stage.engine.lived
        wait = stage.waits.of(live.id)
        assert wait is not None
        assert "taken by other programs" in wait.message
        stage.host.machine = there
        stage.step(1)
        await given(live)

    play(tmp_path, story, make=RealStage)


def test_a_schedule_has_a_process_up_in_its_hours_only(tmp_path: Path):
    async def story(stage: RealStage) -> None:
        version = await stage.version()
        now = datetime.fromtimestamp(stage.clock.now_us() / 1e6, UTC)
        begins = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
        hours = f"{begins.hour}-{begins.hour + 1}"
        warm = Warm(schedule=f"daily {hours}", timezone="UTC")
        await stage.store.scales.put(Target(kind="model", ref=version.model), Asked(warm=warm))
        await stage.warmth.step(stage.clock.now_us())
        assert not stage.fleet.members()
        stage.step((begins - now).total_seconds())
        await stage.warmth.step(stage.clock.now_us())
        await until(lambda: [member.state for member in stage.fleet.members()] == ["ready"])
        stage.step(3000)
        await stage.warmth.step(stage.clock.now_us())
        (pid,) = stage.engine.pids
        assert await stage.run(version) == pid, "nobody waited for a boot"
        stage.step(700)
        await stage.warmth.step(stage.clock.now_us())
        stage.step(61)
        await until(lambda: not stage.fleet.members())
        assert not is_alive(pid)

    play(tmp_path, story, make=RealStage)
