"""Models about their inputs: each gives back what it was given, as text that shows the type."""

import functools
from typing import Any, List, Optional

from cog import File, Input, Path, Secret
from cog.coder import Coder


def scalars(
    text: str = Input(default="dflt"),
    whole: int = 7,
    number: float = 0.5,
    flag: bool = Input(default=False),
    maybe: Optional[str] = Input(default=None),
    absent: Optional[int] = None,
    seed: int = Input(default=None),
    numbers: List[int] = Input(default=[1, 2]),
    thing: dict = Input(default={"a": 1}),
) -> list[str]:
    return [repr(v) for v in (text, whole, number, flag, maybe, absent, seed, numbers, thing)]


def required(text: str) -> str:
    return text


def _without_wraps(function):
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


def _with_wraps(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


@_with_wraps
def decorated(text: str = Input(default="dflt"), image: Path = Input(default="a.png")) -> str:
    return f"{text!r} {type(image).__name__}"


@_without_wraps
def hidden(text: str = Input(default="dflt"), image: Path = Input(default="a.png")) -> str:
    return f"{text!r} {type(image).__name__}"


def file(image: Path = Input(default=None)) -> list[Any]:
    if image is None:
        return ["none"]
    try:
        return [type(image).__name__, image.name, image.read_text(), str(image.parent)]
    except FileNotFoundError:
        return [type(image).__name__, str(image)]


def files(images: list[Path]) -> list[Any]:
    return [[type(image).__name__, image.name, image.read_text()] for image in images]


def overwrites(image: Path) -> str:
    image.write_text("overwritten")
    return image.read_text()


def behind(image: Path) -> list[str]:
    return [image.name, str(image.resolve())]


def opened(image: File, other: File = Input(default=None)) -> list[Any]:
    return [hasattr(image, "read"), image.read().decode(), other]


def default_path(image: Path = Input(default="takes.py")) -> str:
    return f"{type(image).__name__} {image}"


def secret(key: Secret = Input(default=None), other: Optional[Secret] = None) -> list[Any]:
    return [type(key).__name__, str(key), key.get_secret_value() if key else None, other]


class Point:
    def __init__(self, x: int):
        self.x = x


class PointCoder(Coder):
    @staticmethod
    def factory(tpe):
        return PointCoder() if tpe is Point else None

    def encode(self, x):
        return {"x": x.x}

    def decode(self, x):
        return Point(x["x"])


Coder.register(PointCoder)


def coded(point: Point, more: List[Point] = Input(default=[])) -> Any:
    return [type(point).__name__, point.x, [p.x for p in more], Point(point.x + 1)]


def same_names(first: Path, second: Path) -> list[str]:
    return [first.name, first.read_text(), second.name, second.read_text()]
