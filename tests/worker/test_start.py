"""How a worker starts: what the model finds, what setting up does, how it fails."""

from pathlib import Path

import pytest

from stoker.core.errors import InstanceFailed
from stoker.ports.engine import InstanceSpec
from tests.worker.workbench import MODELS, Recorder, Workbench


async def test_an_empty_model_gets_ready(bench: Workbench) -> None:
    started = await bench.start("starts.py:empty")
    assert started.told.slots == 1
    assert started.told.logs == ""
    assert (await started.succeed()).output == ""


async def test_the_model_finds_a_clean_environment(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_secret")
    monkeypatch.setenv("STOKER_BOOTSTRAP_TOKEN", "r8_secret")
    started = await bench.start("starts.py:look", variables={"GREETING": "hello world", "PATH_LIKE": "a=b"})
    seen = (await started.succeed()).output
    environment = seen["environment"]
    assert "r8_secret" not in str(environment)
    assert environment["GREETING"] == "hello world"
    assert environment["PATH"].split(":")[0] == str(bench.python.parent)
    assert environment["LANG"] == "C.UTF-8"
    assert environment["PYTHONUNBUFFERED"] == "1"
    assert [name for name in environment if name.startswith("STOKER_")] == ["STOKER_INSTANCE"]
    root = bench.data_dir / "instances" / "instance0"
    assert (seen["folder"], seen["temp"]) == (str(root / "src"), str(root / "tmp"))
    assert environment["HOME"] == str(root / "home")


async def test_the_process_is_as_cog_has_it(bench: Workbench) -> None:
    seen = (await (await bench.start("starts.py:look")).succeed()).output
    assert (seen["path0"], seen["argv"], seen["session"], seen["stdin"]) == ("", ["-c"], True, "")
    assert seen["modules"] == []
    assert seen["descriptors"] < 8


async def test_limits_are_set(bench: Workbench) -> None:
    limited = bench.make_engine(memory_limit_bytes=512 * 1024**2, open_files_limit=64)
    seen = (await (await bench.start("starts.py:look", engine=limited)).succeed()).output
    assert (seen["data_limit"], seen["files_limit"]) == (512 * 1024**2, 64)


async def test_too_much_memory_fails_the_run_and_not_the_instance(bench: Workbench) -> None:
    limited = bench.make_engine(memory_limit_bytes=512 * 1024**2)
    started = await bench.start("starts.py:allocate", engine=limited)
    record = await started.run({"size": 1024**3})
    assert (record.status, record.error) == ("failed", "out of memory")
    assert (await started.succeed({"size": 1024})).output == 1024


async def test_setup_and_runs_share_the_main_thread(bench: Workbench) -> None:
    started = await bench.start("starts.py:Prepared")
    assert started.told.logs == "getting ready\n"
    assert (await started.succeed()).output == [True, "kept"]


async def test_an_async_setup_beside_a_plain_method(bench: Workbench) -> None:
    assert (await (await bench.start("starts.py:AsyncSetup")).succeed()).output == "from async"


@pytest.mark.parametrize(
    ("model", "variables", "expected"),
    [
        ("Weights", {}, "NoneType None"),
        ("Weights", {"COG_WEIGHTS": "/some/where"}, "Path /some/where"),
        ("PlainWeights", {"COG_WEIGHTS": "https://host/w"}, "str https://host/w"),
        ("OpenWeights", {"COG_WEIGHTS": "weights.txt"}, "str changed by nobody\n"),
    ],
)
async def test_weights(bench: Workbench, model: str, variables: dict[str, str], expected: str) -> None:
    started = await bench.start(f"starts.py:{model}", variables=variables)
    assert (await started.succeed()).output == expected


async def test_weights_beside_the_model(bench: Workbench, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "weights").mkdir(parents=True)
    (source / "starts.py").write_text((MODELS / "starts.py").read_text())
    started = await bench.start("starts.py:Weights", source=source)
    assert (await started.succeed()).output == "Path weights"


async def test_a_failing_setup_tells_why_and_shows_where(bench: Workbench) -> None:
    told = (await bench.launch("starts.py:Broken")).told
    assert await told.until_exited() == "exited with code 1"
    assert told.setup_error == "no weights here"
    assert told.logs.startswith("about to fail\nTraceback (most recent call last):\n")
    assert 'in setup\n    raise RuntimeError("no weights here")' in told.logs
    assert "stoker_worker" not in told.logs


@pytest.mark.parametrize(
    ("predictor", "error"),
    [
        ("starts.py:Exits", "SystemExit: 4"),
        ("unimportable.py:predict", "No module named 'a_module_that_does_not_exist'"),
        ("missing.py:predict", "missing.py does not exist"),
        ("starts.py:Missing", "starts.py has no Missing at its top level"),
    ],
)
async def test_what_cannot_be_set_up_says_so(bench: Workbench, predictor: str, error: str) -> None:
    told = (await bench.launch(predictor)).told
    await told.until_exited()
    assert told.setup_error == error


async def test_slots_need_an_async_model(bench: Workbench) -> None:
    told = (await bench.launch("starts.py:empty", slots=2)).told
    await told.until_exited()
    assert told.setup_error == "COG_MAX_CONCURRENCY > 1 requires an async run() or predict() method"


async def test_a_setup_that_dies(bench: Workbench) -> None:
    told = (await bench.launch("starts.py:Dies")).told
    assert (await told.until_exited()).startswith("killed by signal SIGKILL")
    assert (told.setup_error, told.logs) == (None, "dying\n")


async def test_a_setup_that_takes_too_long_is_killed(bench: Workbench) -> None:
    told = (await bench.launch("starts.py:Hangs", setup_timeout_s=0.5)).told
    assert await told.until_exited() == "setup took longer than 0.5 seconds"


async def test_the_source_is_a_view_of_its_own(bench: Workbench, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "starts.py").write_text((MODELS / "starts.py").read_text())
    (source / "starts.py").chmod(0o444)
    started = await bench.start("starts.py:write_beside", source=source)
    assert (await started.succeed()).output == "changed"
    assert (source / "starts.py").read_text() == (MODELS / "starts.py").read_text()
    assert [path.name for path in source.iterdir()] == ["starts.py"]


async def test_large_files_are_linked(bench: Workbench, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "starts.py").write_text((MODELS / "starts.py").read_text())
    with (source / "large.bin").open("wb") as file:
        file.truncate(1024 * 1024 + 1)
    started = await bench.start("starts.py:read_large", source=source)
    assert (await started.succeed()).output == [True, 1024 * 1024 + 1]


async def test_a_training_entry_point_loads(bench: Workbench) -> None:
    assert (await bench.start("starts.py:train", mode="train")).told.slots == 1


async def test_nothing_stays_where_a_process_cannot_be_started(bench: Workbench, tmp_path: Path) -> None:
    spec = InstanceSpec(
        id="unstartable",
        version="0" * 64,
        python=tmp_path / "none",
        source=MODELS,
        predictor="starts.py:empty",
    )
    with pytest.raises(InstanceFailed, match="could not be started"):
        await bench.engine.start(spec, Recorder())
    assert list((bench.data_dir / "instances").iterdir()) == []


async def test_memory_that_a_run_has_freed_is_there_for_the_next(bench: Workbench) -> None:
    started = await bench.start("computes.py:pages")
    first, second = [(await started.succeed({"megabytes": 16})).output for _ in range(2)]
    assert second < first / 4
