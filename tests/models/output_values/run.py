"""Gives any Python value that it is asked for; the table below has them all."""

import dataclasses
import datetime
import decimal
import enum
import io
import tempfile
import uuid
from pathlib import Path as LocalPath
from typing import Any

from cog import BaseModel, Input, Path, Secret


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: int | None = None


class Answer(BaseModel):
    text: str
    parts: list[Point]


class Custom:
    pass


def a_file(name: str = "note.txt", text: str = "a note") -> Path:
    path = LocalPath(tempfile.mkdtemp()) / name
    path.write_text(text)
    return Path(path)


def a_generator() -> Any:
    yield 1
    yield None
    yield "two"


def a_named_bytes_file() -> io.BytesIO:
    data = io.BytesIO(b"\x89PNG")
    data.name = "small.png"
    return data


VALUES = {
    "none": lambda: None,
    "text": lambda: "h\u00e9llo \U0001f600",
    "empty text": lambda: "",
    "true": lambda: True,
    "int": lambda: 7,
    "float": lambda: 0.1,
    "whole float": lambda: 2.0,
    "big int": lambda: 2**70,
    "nan": lambda: float("nan"),
    "infinity": lambda: {"at": float("inf")},
    "lone surrogate": lambda: "\ud800",
    "dict": lambda: {"b": 1, "a": {"c": [1, None]}},
    "dict with other keys": lambda: {1: "a", None: "b", 2.5: "c", False: "d"},
    "list": lambda: [1, "a", None],
    "empty list": lambda: [],
    "nested list": lambda: [[1, 2], [3]],
    "tuple": lambda: (1, 2),
    "set": lambda: {5},
    "frozen set": lambda: {"in": frozenset([5])},
    "generator": a_generator,
    "generator inside": lambda: {"in": a_generator()},
    "iterator": lambda: iter([1, 2]),
    "map": lambda: {"in": map(str, [1])},
    "enum": lambda: Colour.RED,
    "datetime": lambda: datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
    "date": lambda: datetime.date(2026, 1, 2),
    "decimal": lambda: decimal.Decimal("1.5"),
    "uuid": lambda: uuid.UUID(int=5),
    "bytes": lambda: b"abc",
    "dataclass": lambda: Point(1),
    "model": lambda: Answer(text="t", parts=[Point(1, 2)]),
    "secret": lambda: Secret("hush"),
    "secret inside": lambda: {"key": Secret("hush")},
    "custom class": Custom,
    "custom class inside": lambda: [1, Custom()],
    "file": a_file,
    "file without extension": lambda: a_file("note"),
    "list of files": lambda: [a_file("a.txt", "a"), a_file("b.json", "{}")],
    "file in a dict": lambda: {"file": a_file(), "other": 1},
    "file in a nested list": lambda: [[a_file()]],
    "open binary file": lambda: a_file().open("rb"),
    "bytes file": lambda: io.BytesIO(b"bytes"),
    "named bytes file": a_named_bytes_file,
    "text file": lambda: io.StringIO("text"),
    "text file inside": lambda: {"in": io.StringIO("text")},
    "missing file": lambda: Path("/nowhere/missing.txt"),
    "missing file in a list": lambda: [Path("/nowhere/missing.txt"), "b"],
    "a path as text": lambda: "/etc/hostname",
    "url as text": lambda: "https://example.com/a.png",
}


def run(kind: str = Input(choices=list(VALUES))) -> Any:
    return VALUES[kind]()
