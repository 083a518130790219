"""Models about their outputs."""

import dataclasses
import datetime
import decimal
import enum
import io
import os
import uuid
from typing import Any, Iterator

from cog import BaseModel, Path, Secret


class Color(enum.Enum):
    RED = "red"


class Shade(str, enum.Enum):
    DARK = "dark"


class Result(BaseModel):
    text: str
    picture: Path
    maybe: Any = None


@dataclasses.dataclass
class Plain:
    when: datetime.date
    inner: Any


class Dumpable:
    """As a pydantic model behaves."""

    def model_dump(self) -> dict:
        return {"at": datetime.time(1, 2, 3)}


class OldDumpable:
    def dict(self) -> dict:
        return {"old": True}


class Number:
    """As a numpy scalar or array behaves."""

    def __init__(self, value: Any):
        self.value = value

    def tolist(self) -> Any:
        return self.value


VALUES = {
    "none": None,
    "text": 'h\u00e9 "quoted" \u2603\n',
    "whole": 2**70,
    "float": 0.1,
    "date": datetime.date(2024, 2, 29),
    "datetime": datetime.datetime(2024, 2, 29, 1, 2, 3),
    "decimal": [decimal.Decimal("1.5"), decimal.Decimal("3")],
    "uuid": uuid.UUID(int=1),
    "enum": [Color.RED, Shade.DARK],
    "keys": {1: "a", None: "b", False: "c", Color.RED: "d"},
    "collections": [(1, 2), {3}, frozenset([4]), range(2), {"a": 1}.keys()],
    "iterators": [iter([1]), map(str, [2]), (n for n in [3])],
    "plain": Plain(datetime.date(2024, 1, 1), {"x": None}),
    "dumpable": [Dumpable(), OldDumpable()],
    "numpy": {"bool": Number(True), "array": Number([[1.0, 2.0]])},
    "secret": {"key": Secret("abc")},
    "bytes": b"abc",
    "nan": {"loss": float("nan")},
    "infinite": [Number(float("inf"))],
    "surrogate": "\ud800",
    "object": [object()],
}


def value(name: str) -> Any:
    return VALUES[name]


def large(size: int) -> str:
    return "x" * size


def _write(name: str, text: str) -> Path:
    with open(name, "w") as file:
        file.write(text)
    return Path(name)


def file() -> Path:
    return _write("result.txt", "content")


def file_and_gone() -> Iterator[Path]:
    for number in range(3):
        path = _write("same.txt", f"content {number}")
        yield path
        os.remove(path)


def list_of_files() -> list[Path]:
    return [_write("a.txt", "A"), _write("b.txt", "B")]


def model() -> Result:
    return Result(text="words", picture=_write("picture.png", "pixels"))


def nested() -> dict:
    return {"deep": [{"file": _write("deep.bin", "deep")}, "not a file.txt"], "n": 1}


def missing() -> Path:
    return Path("not-there.png")


def missing_in_list() -> list[Path]:
    return [_write("a.txt", "A"), Path("not-there.png")]


def folder() -> Path:
    os.makedirs("folder", exist_ok=True)
    return Path("folder")


def in_memory() -> list[Any]:
    written = io.BytesIO()
    written.write(b"bytes")
    named = io.BytesIO(b"named")
    named.name = "some/where/song.mp3"
    return [written, io.StringIO("text \u2603"), named, open("gives.py", "rb")]


def odd_name() -> Path:
    return _write("a b#?%" + "n" * 220 + ".tar.gz", "odd")


def megabytes(count: int) -> Path:
    with open("big.bin", "wb") as file:
        for _ in range(count):
            file.write(os.urandom(1) * 1024 * 1024)
    return Path("big.bin")
