"""A GPU falls off the bus: who was on it hears of it, nobody is put there, and it is used when it is back."""

import itertools
from pathlib import Path

import msgspec
import pytest

from stoker.core.hardware import Hardware
from stoker.core.placement import Gpu, Machine
from stoker.core.prediction import Status
from stoker.runtime.lost_gpus import LostGpus
from tests.runtime.stage import Stage, play, until

GB = 10**9
HARDWARE = (Hardware(sku="gpu", name="One", gpus=1),)


answers = itertools.count(1)


def gpus(*, lost: tuple[int, ...] = (), silent: bool = False) -> Machine:
    """Two, by a new answer of the driver, or by none."""
    lost = (0, 1) if silent else lost
    there = (Gpu(index=n, memory_bytes=80 * GB, free_bytes=80 * GB) for n in range(2) if n not in lost)
    return Machine(
        memory_bytes=64 * GB,
        free_bytes=64 * GB,
        gpus=tuple(there),
        lost_gpus=lost,
        driver_is_silent=silent,
        driver_answer=next(answers),
    )


def test_runs_on_it_fail_and_the_others_go_on(tmp_path: Path):
    async def story(stage: Stage) -> None:
        duty = LostGpus(host=stage.host, fleet=stage.fleet, launch=stage.launch)
        stage.host.machine = gpus()
        lives = [await stage.submit(await stage.version(name, hardware="gpu")) for name in ("a", "b")]
        first, second = await stage.instance(0), await stage.instance(1)
        stage.host.machine = gpus(lost=(0,))
        for _ in range(3):
            duty.step(0)
        assert first.killed is None, "it may be a driver that was busy, and has said nothing else since"
        stage.host.machine = gpus(lost=(0,))
        duty.step(0)
        assert first.killed == "GPU 0 of the server stopped answering"
        assert (second.killed, second.stopped) == (None, False)
        assert await lives[0].wait_over()
        assert lives[0].seen.error == "Prediction failed: GPU 0 of the server stopped answering (E8367)"
        second.succeed(1)
        assert await lives[1].wait_over()
        assert lives[1].seen.status is Status.SUCCEEDED

    play(tmp_path, story, hardware=HARDWARE)


def test_an_answer_that_failed_once_ends_nothing(tmp_path: Path):
    async def story(stage: Stage) -> None:
        duty = LostGpus(host=stage.host, fleet=stage.fleet, launch=stage.launch)
        stage.host.machine = gpus()
        await stage.submit(await stage.version("a", hardware="gpu"))
        instance = await stage.instance()
        for lost in ((0,), (), (0,)):
            stage.host.machine = gpus(lost=lost)
            duty.step(0)
        assert instance.killed is None

    play(tmp_path, story, hardware=HARDWARE)


def test_what_was_starting_or_waiting_waits_for_its_return(tmp_path: Path):
    async def story(stage: Stage) -> None:
        duty = LostGpus(host=stage.host, fleet=stage.fleet, launch=stage.launch)
        stage.host.machine = gpus(lost=(1,))
        live = await stage.submit(await stage.version("a", hardware="gpu"))
        await until(lambda: bool(stage.engine.instances))
        for _ in range(2):
            stage.host.machine = gpus(lost=(0, 1))
            duty.step(0)
        await until(lambda: stage.engine.instances[0].stopped)
        stage.step(1)
        assert len(stage.engine.instances) == 1, "there is nowhere to start"
        assert live.seen.status is Status.STARTING
        wait = stage.waits.of(live.id)
        assert wait is not None
        assert "GPU 0 and GPU 1 of this server do not answer." in wait.message
        stage.host.machine = gpus(lost=(0,))
        stage.step(1)
        back = await stage.instance(1)
        assert back.spec.gpus == (1,)
        back.succeed(1)
        assert await live.wait_over()
        assert live.seen.status is Status.SUCCEEDED

    play(tmp_path, story, hardware=HARDWARE)


def test_one_that_does_not_die_keeps_no_prediction(tmp_path: Path):
    async def story(stage: Stage) -> None:
        duty = LostGpus(host=stage.host, fleet=stage.fleet, launch=stage.launch)
        stage.host.machine = gpus()
        live = await stage.submit(await stage.version("a", hardware="gpu"))
        instance = await stage.instance()
        instance.is_immortal = True
        for _ in range(2):
            stage.host.machine = gpus(lost=(0,))
            duty.step(0)
        assert await live.wait_over()
        assert live.seen.status is Status.FAILED
        assert not stage.fleet.members()[0].has_slot

    play(tmp_path, story, hardware=HARDWARE)


def test_while_the_driver_is_silent_runs_go_on_and_nothing_new_is_put_there(tmp_path: Path):
    async def story(stage: Stage) -> None:
        duty = LostGpus(host=stage.host, fleet=stage.fleet, launch=stage.launch)
        stage.host.machine = gpus()
        runs = await stage.submit(await stage.version("a", hardware="gpu"))
        first = await stage.instance()
        stage.host.machine = gpus(lost=(0,))
        duty.step(0)
        stage.host.machine = gpus(silent=True)
        waits = await stage.submit(await stage.version("b", hardware="gpu"))
        for _ in range(3):
            duty.step(0)
            stage.step(1)
        assert first.killed is None
        first.succeed(1)
        assert await runs.wait_over()
        assert runs.seen.status is Status.SUCCEEDED
        assert len(stage.engine.instances) == 1
        wait = stage.waits.of(waits.id)
        assert wait is not None
        assert "The GPU driver of this server does not answer." in wait.message
        stage.host.machine = gpus(lost=(0,))
        duty.step(0)
        assert first.killed is None, "what it said before it was silent does not count"
        stage.host.machine = gpus()
        stage.step(1)
        second = await stage.instance(1)
        second.succeed(1)
        assert await waits.wait_over()

    play(tmp_path, story, hardware=HARDWARE)


@pytest.mark.parametrize("known", [HARDWARE, ()], ids=["configured", "detected"])
def test_what_waited_waits_through_a_start_at_which_the_driver_is_silent(
    tmp_path: Path, known: tuple[Hardware, ...]
):
    """Then nobody knows how many GPUs there are; what the operator did not configure is unknown as well."""
    ids: list[str] = []

    async def accept(stage: Stage) -> None:
        stage.host.machine = gpus(lost=(0, 1))
        ids.append((await stage.submit(await stage.version("a", hardware="gpu"))).id)

    async def start_without_the_driver(stage: Stage) -> None:
        stage.host.machine = Machine(memory_bytes=64 * GB, free_bytes=64 * GB, driver_is_silent=True)
        await stage.dispatcher.recover()
        other = await stage.submit(await stage.version("b"))
        (await stage.instance()).succeed(1)
        assert await other.wait_over()
        stage.step(1)
        assert len(stage.engine.instances) == 1, "what needs none is served"
        wait = stage.waits.of(ids[0])
        assert wait is not None
        assert "The GPU driver of this server does not answer." in wait.message

    async def start_with_it(stage: Stage) -> None:
        stage.host.machine = gpus()
        await stage.dispatcher.recover()
        (waited,) = stage.dispatcher.roster.all()
        assert waited.live.id == ids[0]
        instance = await stage.instance()
        assert len(instance.spec.gpus) == 1
        instance.succeed(1)
        assert await waited.live.wait_over()
        assert waited.live.seen.status is Status.SUCCEEDED

    play(tmp_path, accept, crash=True, hardware=HARDWARE)
    play(tmp_path, start_without_the_driver, crash=True, hardware=known)
    play(tmp_path, start_with_it, hardware=HARDWARE)


def test_a_model_made_for_a_gpu_waits_for_a_silent_driver_whatever_its_hardware(tmp_path: Path):
    async def story(stage: Stage) -> None:
        stage.host.machine = Machine(memory_bytes=64 * GB, free_bytes=64 * GB, driver_is_silent=True)
        version = await stage.version("a", hardware="cpu")
        recipe = msgspec.structs.replace(version.recipe, gpu=True)
        live = await stage.submit(msgspec.structs.replace(version, recipe=recipe))
        stage.step(1)
        assert not stage.engine.instances
        stage.host.machine = gpus()
        stage.step(1)
        (await stage.instance()).succeed(1)
        assert await live.wait_over()
        assert live.seen.status is Status.SUCCEEDED

    play(tmp_path, story)
