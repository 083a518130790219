"""How many instances run, and where, as demand and the machine have it: a clock that stands still."""

import asyncio
from pathlib import Path

from stoker.core.hardware import Hardware
from stoker.core.placement import Gpu, Machine
from stoker.core.prediction import Status
from stoker.ports.engine import Usage
from tests.runtime.stage import RoomyHost, Stage, play, until

GB = 10**9


def gpus(number: int) -> Machine:
    devices = tuple(Gpu(index=n, memory_bytes=80 * GB, free_bytes=80 * GB) for n in range(number))
    return Machine(memory_bytes=64 * GB, free_bytes=64 * GB, gpus=devices)


def room_for(instances: int) -> Machine:
    return Machine(memory_bytes=64 * GB, free_bytes=64 * GB, counts={"cpu": instances})


async def learn(stage: Stage, *, run_s: float) -> None:
    """The first instance boots within a moment, and its first run takes so long."""
    instance = await stage.instance()
    await until(lambda: bool(instance.runs))
    stage.step(run_s)
    instance.succeed(1)


def test_a_long_line_gets_more_instances_and_they_go_when_it_is_gone(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        lives = [await stage.submit(version)]
        await learn(stage, run_s=30)
        lives += [await stage.submit(version) for _ in range(10)]
        stage.step(0.5)
        await until(lambda: len(stage.engine.instances) == 4)
        for number in range(1, 4):
            await stage.instance(number)
        assert [len(instance.runs) for instance in stage.engine.instances] == [2, 1, 1, 1]
        while not all(live.seen.status.is_final for live in lives):
            for instance in stage.engine.instances:
                if instance.runs:
                    instance.succeed(instance.runs[-1].number)
            await asyncio.sleep(0)
        stage.step(60.5)
        await until(lambda: not stage.fleet.members())
        assert {live.seen.status for live in lives} == {Status.SUCCEEDED}

    play(tmp_path, story)


def test_an_idle_model_makes_room_for_one_that_is_wanted(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = room_for(1)
        first, second = await stage.version("first"), await stage.version("second")
        done = await stage.submit(first)
        instance = await stage.instance()
        instance.succeed(1)
        await done.wait_over()
        waits = await stage.submit(second)
        assert not instance.stopped, "it has only just booted"
        assert waits.seen.status is Status.STARTING
        stage.step(5.5)
        await until(lambda: instance.stopped)
        await stage.instance(1)
        await until(lambda: waits.seen.status is Status.PROCESSING)

    play(tmp_path, story)


def test_room_is_given_on_only_when_the_one_before_is_gone(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = room_for(1)
        first, second = await stage.version("first"), await stage.version("second")
        await stage.submit(first)
        await learn(stage, run_s=1)
        stage.engine.instances[0].lingers = True
        stage.step(5)
        await stage.submit(second)
        await until(lambda: stage.engine.instances[0].stopped)
        stage.step(1)
        assert len(stage.engine.instances) == 1
        stage.engine.instances[0].listener.exited("stopped")
        await stage.instance(1)

    play(tmp_path, story)


def test_a_model_with_an_endless_line_does_not_starve_another(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = room_for(1)
        busy, starved = await stage.version("busy"), await stage.version("starved")
        for _ in range(100):
            stage.dispatcher.submit(stage.prediction(busy), busy)
        instance = await stage.instance()
        waits = await stage.submit(starved)
        for _ in range(60):
            stage.step(1)
            if not instance.stopped:
                instance.succeed(instance.runs[-1].number)
        await until(lambda: instance.stopped)
        assert len(instance.runs) < 100
        await stage.instance(1)
        await until(lambda: waits.seen.status is Status.PROCESSING)

    play(tmp_path, story)


def test_what_can_never_fit_fails_and_says_why(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version(hardware="two-gpus")
        live = await stage.submit(version)
        assert await live.wait_over()
        assert live.seen.error == "It needs 2 GPUs, and this server has 0."

    play(tmp_path, story, hardware=(Hardware(sku="two-gpus", name="Two", gpus=2),))


def test_each_instance_gets_gpus_of_its_own(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = gpus(3)
        two, one = await stage.version("two", hardware="two-gpus"), await stage.version("one", hardware="gpu")
        for version in (two, one):
            await stage.submit(version)
        await until(lambda: len(stage.engine.instances) == 2)
        assert [instance.spec.gpus for instance in stage.engine.instances] == [(0, 1), (2,)]

    hardware = (Hardware(sku="two-gpus", name="Two", gpus=2), Hardware(sku="gpu", name="One", gpus=1))
    play(tmp_path, story, hardware=hardware)


def test_what_is_held_for_quick_starts_goes_before_an_idle_instance(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = Machine(memory_bytes=10 * GB, free_bytes=10 * GB)
        first, second = await stage.version("first"), await stage.version("second")
        done = await stage.submit(first)
        instance = await stage.instance()
        instance.succeed(1)
        await done.wait_over()
        stage.engine.spare_bytes = GB
        stage.host.machine = Machine(memory_bytes=10 * GB, free_bytes=GB // 8)
        await stage.fleet.measure(0)
        waits = await stage.submit(second)
        (asked,) = stage.engine.reclaimed
        assert 0 < asked < GB
        wait = stage.waits.of(waits.id)
        assert wait is not None
        assert "held for quick starts" in wait.message
        stage.step(10)
        assert stage.engine.reclaimed == [asked], "it is asked for once, until there is more"
        assert not instance.stopped
        stage.host.machine = Machine(memory_bytes=10 * GB, free_bytes=2 * GB)
        stage.step(1)
        await stage.instance(1)
        assert not instance.stopped

    play(tmp_path, story)


def test_what_a_version_takes_is_measured_and_counts_the_next_time(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = Machine(memory_bytes=10 * GB, free_bytes=10 * GB)
        large, other = await stage.version("large"), await stage.version("other")
        await stage.submit(large)
        instance = await stage.instance()
        stage.engine.takes = {instance.id: Usage(9 * GB + 900_000_000)}
        await stage.fleet.measure(0)
        waits = await stage.submit(other)
        stage.step(30)
        assert len(stage.engine.instances) == 1
        assert waits.seen.status is Status.STARTING
        instance.succeed(1)
        stage.step(1)
        await stage.instance(1)
        await stage.learning.step(0)

    play(tmp_path, story)

    async def after_a_restart(stage: Stage) -> None:
        await stage.learning.recover()
        stage.host.machine = Machine(memory_bytes=9 * GB, free_bytes=9 * GB)
        version = (await stage.store.versions.page("local/large")).items[0]
        live = await stage.submit(version)
        assert await live.wait_over()
        assert live.seen.error == "It needs 9.9 GB of memory, and instances get 9.0 GB."

    play(tmp_path, after_a_restart)


def test_an_instance_that_ran_out_of_memory_is_given_more_the_next_time(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = Machine(memory_bytes=9_200_000_000, free_bytes=9_200_000_000)
        large, other = await stage.version("large"), await stage.version("other")
        died = await stage.submit(large)
        instance = await stage.instance()
        stage.engine.takes = {instance.id: Usage(6 * GB)}
        await stage.fleet.measure(0)
        instance.listener.outgrew()
        instance.listener.exited("killed by signal SIGKILL (out of memory)")
        assert await died.wait_over()
        assert died.seen.error == "Prediction failed: killed by signal SIGKILL (out of memory) (E1001)"
        assert stage.learning.of(large.id).memory_bytes == 9 * GB
        await stage.submit(large)
        again = await stage.instance(1)
        await stage.submit(other)
        assert len(stage.engine.instances) == 2, "what is left is too little even for a small one"
        again.listener.outgrew()
        again.listener.exited("killed by signal SIGKILL (out of memory)")
        assert stage.learning.of(large.id).memory_bytes == 9_200_000_000, "all that there is, and not more"

    play(tmp_path, story)


def test_one_that_starts_teaches_nothing_of_what_its_version_takes(tmp_path: Path):
    async def story(stage: Stage) -> None:
        version = await stage.version()
        await stage.submit(version)
        instance = await stage.instance(slots=None)
        stage.engine.takes = {instance.id: Usage(1_000_000)}
        await stage.fleet.measure(0)
        assert stage.learning.of(version.id).memory_bytes is None
        assert [member.usage.memory_bytes for member in stage.fleet.members()] == [1_000_000]
        instance.listener.ready(slots=1)
        stage.engine.takes = {instance.id: Usage(2_000_000)}
        await stage.fleet.measure(0)
        assert stage.learning.of(version.id).memory_bytes == 2_000_000

    play(tmp_path, story)


def test_no_gpus_are_hidden_where_no_driver_tells_of_any(tmp_path: Path):
    async def story(stage: Stage) -> None:
        assert isinstance(stage.host, RoomyHost)
        await stage.submit(await stage.version())
        instance = await stage.instance()
        assert instance.spec.gpus is None

    play(tmp_path, story)
