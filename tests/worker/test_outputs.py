"""What the model gives becomes JSON and files."""

from pathlib import Path
from typing import Any

import pytest

from stoker.ports.engine import OutputFile
from tests.worker.workbench import RunRecord, Workbench


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", None),
        ("text", 'h\u00e9 "quoted" \u2603\n'),
        ("whole", 2**70),
        ("float", 0.1),
        ("date", "2024-02-29"),
        ("datetime", "2024-02-29T01:02:03"),
        ("decimal", [1.5, 3]),
        ("uuid", "00000000-0000-0000-0000-000000000001"),
        ("enum", ["red", "dark"]),
        ("keys", {"1": "a", "null": "b", "false": "c", "red": "d"}),
        ("collections", [[1, 2], [3], [4], [0, 1], ["a"]]),
        ("iterators", [[1], ["2"], [3]]),
        ("plain", {"when": "2024-01-01", "inner": {"x": None}}),
        ("dumpable", [{"at": "01:02:03"}, {"old": True}]),
        ("numpy", {"bool": True, "array": [[1.0, 2.0]]}),
        ("secret", {"key": "**********"}),
    ],
)
async def test_values(bench: Workbench, name: str, expected: Any) -> None:
    started = await bench.start("gives.py:value")
    assert (await started.succeed({"name": name})).output == expected


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("bytes", "the output has a value of type bytes, which JSON cannot hold; return a Path or a BytesIO"),
        ("nan", "the output has the number nan, which JSON cannot hold"),
        ("infinite", "the output has the number inf, which JSON cannot hold"),
        ("surrogate", "the output has text that is not valid Unicode (a lone surrogate)"),
        ("object", "the output has a value of type object, which JSON cannot hold"),
    ],
)
async def test_values_that_json_cannot_hold(bench: Workbench, name: str, error: str) -> None:
    record = await (await bench.start("gives.py:value")).run({"name": name})
    assert (record.status, record.error, record.outputs) == ("failed", error, [])


async def test_an_output_above_the_limit(bench: Workbench) -> None:
    limited = bench.make_engine(output_limit_bytes=1000)
    started = await bench.start("gives.py:large", engine=limited)
    record = await started.run({"size": 1000})
    assert record.status == "failed"
    assert record.error == (
        "the output has 1,002 bytes of JSON; at most 1,000 are taken. Return large results as files"
    )
    assert len((await started.succeed({"size": 998})).output) == 998


async def test_a_large_output_arrives_whole(bench: Workbench) -> None:
    record = await (await bench.start("gives.py:large")).succeed({"size": 20_000_000})
    assert record.output == "x" * 20_000_000


def contents(record: RunRecord, output: int = 0) -> list[tuple[list[str | int], str, str]]:
    return [(file.at, file.name, Path(file.path).read_text()) for file in record.files[output]]


async def test_a_file(bench: Workbench) -> None:
    record = await (await bench.start("gives.py:file")).succeed()
    assert record.output is None
    assert contents(record) == [([], "result.txt", "content")]


async def test_files_outlive_their_instance(bench: Workbench) -> None:
    started = await bench.start("gives.py:file")
    record = await started.succeed()
    await started.instance.stop(5)
    assert contents(record) == [([], "result.txt", "content")]


async def test_a_file_is_taken_when_it_is_given(bench: Workbench) -> None:
    record = await (await bench.start("gives.py:file_and_gone")).succeed()
    assert record.items == [None, None, None]
    assert [contents(record, n) for n in range(3)] == [[([], "same.txt", f"content {n}")] for n in range(3)]


async def test_files_in_lists_and_objects(bench: Workbench) -> None:
    record = await (await bench.start("gives.py:list_of_files")).succeed()
    assert record.output == [None, None]
    assert contents(record) == [([0], "a.txt", "A"), ([1], "b.txt", "B")]
    record = await (await bench.start("gives.py:model")).succeed()
    assert record.output == {"text": "words", "picture": None, "maybe": None}
    assert contents(record) == [(["picture"], "picture.png", "pixels")]
    record = await (await bench.start("gives.py:nested")).succeed()
    assert record.output == {"deep": [{"file": None}, "not a file.txt"], "n": 1}
    assert contents(record) == [(["deep", 0, "file"], "deep.bin", "deep")]


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("missing", "output file not-there.png does not exist"),
        ("missing_in_list", "output file not-there.png does not exist"),
        ("folder", "output folder is a directory; return a file"),
    ],
)
async def test_a_file_that_is_not_there(bench: Workbench, function: str, error: str) -> None:
    record = await (await bench.start(f"gives.py:{function}")).run()
    assert (record.status, record.error, record.outputs) == ("failed", error, [])


async def test_open_files(bench: Workbench) -> None:
    record = await (await bench.start("gives.py:in_memory")).succeed()
    assert [name for _, name, _ in contents(record)] == ["1.bin", "2.txt", "song.mp3", "gives.py"]
    assert [text for _, _, text in contents(record)][:3] == ["bytes", "text \u2603", "named"]


async def test_an_odd_name_is_kept_as_far_as_it_can_be(bench: Workbench) -> None:
    ((_, name, _),) = contents(await (await bench.start("gives.py:odd_name")).succeed())
    assert name.startswith("a b#?%nnn")
    assert name.endswith("~.gz")
    assert len(name) == 200


async def test_a_large_file(bench: Workbench) -> None:
    record = await (await bench.start("gives.py:megabytes")).succeed({"count": 64})
    ((file,),) = record.files
    assert isinstance(file, OutputFile)
    assert Path(file.path).stat().st_size == 64 * 1024**2
