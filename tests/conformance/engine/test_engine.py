"""What every engine must do, told through the port alone."""

from pathlib import Path

from stoker.ports.engine import InputFile
from tests.worker.workbench import Workbench

SOURCE = Path(__file__).parent / "models"


async def test_a_run_from_ready_to_done(bench: Workbench) -> None:
    started = await bench.start("echo.py:Echo", source=SOURCE)
    assert (started.told.slots, started.told.logs) == (1, "set up\n")
    record = await started.run({"text": "hello"})
    assert (record.status, record.error, record.output) == ("succeeded", None, "hello")
    assert record.logs == "echoing hello\n"
    assert record.metrics == [("letters", 5, "replace")]


async def test_an_instance_is_used_again(bench: Workbench) -> None:
    started = await bench.start("echo.py:Echo", source=SOURCE)
    for turn in range(20):
        record = await started.run({"text": str(turn)})
        assert (record.output, record.logs) == (str(turn), f"echoing {turn}\n")


async def test_items_come_one_by_one(bench: Workbench) -> None:
    started = await bench.start("echo.py:count", source=SOURCE)
    assert (await started.run({"n": 3})).items == ["0", "1", "2"]
    assert (await started.run({"n": 0})).output == []


async def test_files_go_in_and_come_out(bench: Workbench, tmp_path: Path) -> None:
    original = tmp_path / "original"
    original.write_text("picture")
    started = await bench.start("echo.py:Echo", source=SOURCE)
    file = InputFile(at=["image"], path=str(original), name="image.png")
    assert (await started.run({"text": "a ", "image": "url"}, files=[file])).output == "a picture"
    started = await bench.start("echo.py:picture", source=SOURCE)
    ((given,),) = (await started.run()).files
    await started.instance.stop(5)
    assert (given.at, given.name) == ([], "picture.png")
    assert Path(given.path).read_text() == "pixels"


async def test_a_failure_is_the_runs_and_not_the_instances(bench: Workbench) -> None:
    started = await bench.start("echo.py:fails", source=SOURCE)
    for _ in range(2):
        record = await started.run()
        assert (record.status, record.error) == ("failed", "boom")
        assert "ValueError: boom" in record.logs


async def test_a_cancelled_run_frees_its_slot(bench: Workbench) -> None:
    started = await bench.start("echo.py:Echo", source=SOURCE)
    number = started.begin({"wait": True})
    await started.told.until(lambda: started.told.run(number).logs != "")
    started.instance.cancel(number)
    assert (await started.told.until_done(number)).status == "canceled"
    assert (await started.run()).output == "nothing"


async def test_slots_are_used_at_once(bench: Workbench) -> None:
    started = await bench.start("echo.py:together", source=SOURCE, slots=4)
    assert started.told.slots == 4
    numbers = [started.begin({"text": str(turn)}) for turn in range(4)]
    assert [(await started.told.until_done(number)).output for number in numbers] == ["0", "1", "2", "3"]


async def test_health_is_answered(bench: Workbench) -> None:
    started = await bench.start("echo.py:Echo", source=SOURCE)
    started.instance.check_health()
    await started.told.until(lambda: started.told.health_answers == [None])


async def test_a_failed_setup_ends_the_instance(bench: Workbench) -> None:
    told = (await bench.launch("echo.py:Unready", source=SOURCE)).told
    await told.until_exited()
    assert (told.setup_error, told.slots) == ("no weights", None)
    assert "RuntimeError: no weights" in told.logs


async def test_a_killed_instance_says_why(bench: Workbench) -> None:
    started = await bench.start("echo.py:Echo", source=SOURCE)
    number = started.begin({"wait": True})
    started.instance.kill("it took too long")
    assert await started.told.until_exited() == "it took too long"
    assert started.told.run(number).status is None


async def test_a_stopped_instance_is_gone(bench: Workbench) -> None:
    started = await bench.start("echo.py:Echo", source=SOURCE)
    await started.instance.stop(5)
    assert started.told.exit_reason == "stopped"
    await started.instance.stop(5)
    assert await bench.engine.sweep() == 0


async def test_a_stop_does_not_wait_for_a_setup(bench: Workbench) -> None:
    launched = await bench.launch("echo.py:Echo", source=SOURCE)
    await launched.instance.stop(1000)
    assert launched.told.exit_reason == "stopped"
