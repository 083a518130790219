"""``-i name=value`` becomes what the schema asks for, or a sentence that says why not."""

from pathlib import Path
from typing import Any

import click
import pytest

from stoker.cli.running import inputs
from tests.cli.schemas import FILE, openapi

SCHEMA = openapi(
    {
        "prompt": {"type": "string"},
        "steps": {"type": "integer", "nullable": True},
        "scale": {"type": "number"},
        "raw": {"type": "boolean"},
        "options": {"type": "object"},
        "words": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}, "nullable": True},
        "image": FILE,
        "images": {"type": "array", "items": FILE},
        "style": {"allOf": [{"$ref": "#/components/schemas/style"}], "default": "plain"},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "count_or_list": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]},
        "secret": {"type": "string", "format": "password", "x-cog-secret": True},
    },
    style={"type": "integer", "enum": [1, 2]},
)


def read(*given: str, attach: inputs.Attach = lambda path: f"uploaded:{path}") -> dict[str, Any]:
    return inputs.read(given, SCHEMA, model="local/story", attach=attach)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("prompt=a red kite", "a red kite"),
        ("prompt=x=1&y=2", "x=1&y=2"),
        ("prompt=", ""),
        ("prompt=5", "5"),
        ("prompt=null", "null"),
        ("prompt=@@home", "@home"),
        ("steps=5", 5),
        ("steps=-5", -5),
        ("steps=null", None),
        ("scale=7.5", 7.5),
        ("scale=7", 7),
        ("scale=1e3", 1000.0),
        ("raw=true", True),
        ("raw=No", False),
        ("raw=1", True),
        ('options={"a": [1, null]}', {"a": [1, None]}),
        ('words=["sun", "sea"]', ["sun", "sea"]),
        ("words=sun", ["sun"]),
        ("words=", []),
        ("numbers=[1, 2]", [1, 2]),
        ("numbers=7", [7]),
        ("numbers=null", None),
        ("image=https://example.com/a.png", "https://example.com/a.png"),
        ("image=data:text/plain,hello", "data:text/plain,hello"),
        ("image=@photo.jpg", "uploaded:photo.jpg"),
        ("images=@photo.jpg", ["uploaded:photo.jpg"]),
        ('images=["https://example.com/a.png"]', ["https://example.com/a.png"]),
        ("style=2", 2),
        ("either=5", 5),
        ("either=five", "five"),
        ('either="5"', "5"),
        ("either=[1]", "[1]"),
        ("count_or_list=[1]", [1]),
        ("secret=s3cr3t", "s3cr3t"),
    ],
)
def test_values(given: str, expected: Any) -> None:
    found = read(given)[given.partition("=")[0]]
    assert found == expected
    assert type(found) is type(expected)


def test_an_array_may_be_given_item_by_item() -> None:
    assert read("words=sun", "numbers=1", "words=sea", "numbers=2") == {
        "words": ["sun", "sea"],
        "numbers": [1, 2],
    }


def test_text_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("Ünïcode\n")
    (tmp_path / "options.json").write_text('{"a": 1}')
    given = [
        f"prompt=@{tmp_path}/long.txt",
        f"options=@{tmp_path}/options.json",
        f"words=@{tmp_path}/long.txt",
    ]
    assert read(*given) == {"prompt": "Ünïcode\n", "options": {"a": 1}, "words": ["Ünïcode\n"]}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("prompt", "NAME=VALUE"),
        ("=x", "NAME=VALUE"),
        ("steps=five", "steps wants an integer, not 'five'"),
        ("steps=5.5", "steps wants an integer"),
        ("steps=", "steps wants an integer"),
        ("scale=big", "scale wants a number"),
        ("scale=nan", "scale wants a number"),
        ("raw=maybe", "raw wants true or false"),
        ("options=[1]", "options wants a JSON object"),
        ("options={", "options wants a JSON object"),
        ("numbers=[1", "numbers wants a JSON array"),
        ("numbers=x", "numbers wants an integer"),
        ("count_or_list=x", "count_or_list wants an integer or a JSON array, not 'x'"),
        ("prompt=@nowhere.txt", "nowhere.txt cannot be read: No such file or directory"),
        (
            "promt=x",
            "local/story has no input 'promt'. Did you mean 'prompt'\\? It takes: prompt \\(string\\), steps",
        ),
    ],
)
def test_complaints(given: str, complaint: str) -> None:
    with pytest.raises(click.UsageError, match=complaint):
        read(given)


def test_a_name_given_twice() -> None:
    with pytest.raises(click.UsageError, match="given 2 times"):
        read("prompt=a", "prompt=b")


def test_a_path_without_at_sign_is_explained(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    with pytest.raises(click.UsageError, match=f"write image=@{photo}"):
        read(f"image={photo}")


def test_binary_for_a_text_input(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(click.UsageError, match="not UTF-8 text"):
        read(f"prompt=@{tmp_path}/photo.jpg")


def test_a_model_without_inputs() -> None:
    with pytest.raises(click.UsageError, match="takes no inputs"):
        inputs.read(["a=b"], openapi(), model="local/clock", attach=str)
