"""What the model's method is called with."""

from pathlib import Path

import pytest

from stoker.ports.engine import InputFile
from tests.worker.workbench import Workbench


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "0123abcd"
    path.write_text("pixels")
    path.chmod(0o444)
    return path


async def test_omitted_inputs_get_their_defaults(bench: Workbench) -> None:
    output = (await (await bench.start("takes.py:scalars")).succeed()).output
    assert output == ["'dflt'", "7", "0.5", "False", "None", "None", "None", "[1, 2]", "{'a': 1}"]


async def test_given_inputs_arrive(bench: Workbench) -> None:
    given = {
        "text": "5",
        "whole": 5.0,
        "number": 2,
        "flag": True,
        "maybe": None,
        "absent": 3,
        "seed": None,
        "numbers": [1.0, 2],
        "thing": {"b": [1]},
        "unknown": 1,
    }
    output = (await (await bench.start("takes.py:scalars")).succeed(given)).output
    assert output == ["'5'", "5", "2", "True", "None", "3", "None", "[1, 2]", "{'b': [1]}"]


async def test_a_missing_input_fails_the_run(bench: Workbench) -> None:
    record = await (await bench.start("takes.py:required")).run()
    assert (record.status, record.error) == ("failed", "text: Field required")


@pytest.mark.parametrize("function", ["decorated", "hidden"])
async def test_decorated_methods_see_values(bench: Workbench, function: str) -> None:
    assert (await (await bench.start(f"takes.py:{function}")).succeed()).output == "'dflt' Path"


async def test_a_file_is_a_local_path_with_its_name(bench: Workbench, picture: Path) -> None:
    started = await bench.start("takes.py:file")
    file = InputFile(at=["image"], path=str(picture), name="cat.png")
    kind, name, text, folder = (await started.succeed({"image": "https://host/cat.png"}, files=[file])).output
    assert (kind, name, text) == ("Path", "cat.png", "pixels")
    assert Path(folder).parent == bench.data_dir / "instances" / "instance0" / "tmp"
    assert not Path(folder).exists()


async def test_a_file_may_stand_for_an_omitted_input(bench: Workbench, picture: Path) -> None:
    started = await bench.start("takes.py:file")
    file = InputFile(at=["image"], path=str(picture), name="cat.png")
    assert (await started.succeed(files=[file])).output[:3] == ["Path", "cat.png", "pixels"]


async def test_other_values_of_a_path(bench: Workbench) -> None:
    started = await bench.start("takes.py:file")
    assert (await started.succeed({"image": "/no/such/file"})).output == ["Path", "/no/such/file"]
    assert (await started.succeed({"image": None})).output == ["none"]
    assert (await started.succeed()).output == ["none"]


async def test_a_default_path_is_a_path(bench: Workbench) -> None:
    assert (await (await bench.start("takes.py:default_path")).succeed()).output == "Path takes.py"


async def test_lists_of_files_may_be_mixed(bench: Workbench, picture: Path) -> None:
    started = await bench.start("takes.py:files")
    file = InputFile(at=["images", 1], path=str(picture), name="cat.png")
    record = await started.succeed({"images": ["takes.py", "https://host/cat.png"]}, files=[file])
    assert [(kind, name) for kind, name, _ in record.output] == [("Path", "takes.py"), ("Path", "cat.png")]
    assert record.output[1][2] == "pixels"


async def test_two_files_of_one_name(bench: Workbench, picture: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("more pixels")
    started = await bench.start("takes.py:same_names")
    files = [
        InputFile(at=["first"], path=str(picture), name="cat.png"),
        InputFile(at=["second"], path=str(other), name="cat.png"),
    ]
    record = await started.succeed({"first": "", "second": ""}, files=files)
    assert record.output == ["cat.png", "pixels", "cat.png", "more pixels"]


async def test_a_model_that_overwrites_its_input_changes_only_its_own(
    bench: Workbench, picture: Path
) -> None:
    started = await bench.start("takes.py:overwrites")
    file = InputFile(at=["image"], path=str(picture), name="cat.png")
    assert (await started.succeed({"image": ""}, files=[file])).output == "overwritten"
    assert picture.read_text() == "pixels"


async def test_a_large_file_is_linked(bench: Workbench, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as content:
        content.truncate(16 * 1024**2 + 1)
    started = await bench.start("takes.py:file")
    file = InputFile(at=["image"], path=str(large), name="large.bin")
    assert (await started.succeed({"image": ""}, files=[file])).output[1] == "large.bin"
    assert large.stat().st_nlink == 1


async def test_a_lasting_file_is_known_again_behind_its_link(bench: Workbench, picture: Path) -> None:
    started = await bench.start("takes.py:behind")
    file = InputFile(at=["image"], path=str(picture), name="cat.png", lasting=True)
    for _ in range(2):
        found = await started.succeed({"image": ""}, files=[file])
        assert found.output == ["cat.png", str(picture.resolve())]
    assert picture.read_text() == "pixels"


async def test_an_open_file(bench: Workbench, picture: Path) -> None:
    started = await bench.start("takes.py:opened")
    file = InputFile(at=["image"], path=str(picture), name="cat.png")
    assert (await started.succeed({"image": ""}, files=[file])).output == [True, "pixels", None]


async def test_secrets_are_wrapped(bench: Workbench) -> None:
    started = await bench.start("takes.py:secret")
    assert (await started.succeed({"key": "abc"})).output == ["Secret", "**********", "abc", None]
    assert (await started.succeed()).output == ["NoneType", "None", None, None]


async def test_registered_coders_work_both_ways(bench: Workbench) -> None:
    started = await bench.start("takes.py:coded")
    record = await started.succeed({"point": {"x": 1}, "more": [{"x": 2}]})
    assert record.output == ["Point", 1, [2], {"x": 2}]
