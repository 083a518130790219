"""What is a file in an output, and what it is called here."""

import pytest

from stoker.cli.running.outputs import file_name, names_files, replace_files
from tests.cli.schemas import FILE, openapi


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/delivery/k/1-s/out.png", "out.png"),
        ("https://example.com/out%20one.png?x=1", "out one.png"),
        ("https://example.com/a%2F..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://example.com/%2e%2e", "output"),
        ("https://example.com/.bashrc", "bashrc"),
        ("https://example.com/a%0Ab%1B.png", "ab.png"),
        ("https://example.com/", "output"),
        ("data:image/png;base64,AAAA", "output.png"),
        ("data:,hello", "output"),
    ],
)
def test_names_are_safe(url: str, name: str) -> None:
    assert file_name(url) == name


def test_long_names_keep_their_ending() -> None:
    assert file_name("https://example.com/" + "x" * 400 + ".png").endswith("x.png")
    assert len(file_name("https://example.com/" + "x" * 400 + ".png")) == 200


SCHEMA = openapi(
    output={
        "type": "object",
        "properties": {
            "picture": FILE,
            "title": {"type": "string"},
            "parts": {"$ref": "#/components/schemas/Parts"},
        },
    },
    Parts={"type": "array", "items": FILE},
)
SHAPE = SCHEMA["components"]["schemas"]["Output"]


def test_files_are_what_the_schema_says_and_what_the_server_delivers() -> None:
    value = {
        "picture": "https://elsewhere.example/a.png",
        "title": "https://elsewhere.example/b.png",
        "parts": ["data:,c", "not a url"],
        "more": ["http://here/delivery/d.png"],
    }
    saved: list[str] = []

    def save(url: str) -> str:
        saved.append(url)
        return f"file{len(saved)}"

    told = replace_files(value, SHAPE, SCHEMA, own="http://here/delivery/", save=save)
    assert told == {
        "picture": "file1",
        "title": "https://elsewhere.example/b.png",
        "parts": ["file2", "not a url"],
        "more": ["file3"],
    }


def test_whether_a_schema_names_files() -> None:
    assert names_files(SHAPE, SCHEMA)
    assert not names_files({"type": "object"}, SCHEMA)
