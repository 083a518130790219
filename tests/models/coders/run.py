"""An input and an output of a class of its own, with a coder as the SDK documents."""

from typing import Any, Optional, Type

from cog import BaseRunner
from cog.coder import Coder


class Point:
    def __init__(self, x: int, y: int):
        self.x, self.y = x, y


class PointCoder(Coder):
    @staticmethod
    def factory(kind: Type[Any]) -> Optional[Coder]:
        return PointCoder() if kind is Point else None

    def encode(self, value: Point) -> dict[str, Any]:
        return {"x": value.x, "y": value.y}

    def decode(self, value: dict[str, Any]) -> Point:
        return Point(**value)


Coder.register(PointCoder)


class Runner(BaseRunner):
    def run(self, point: Point) -> Point:
        return Point(point.y, point.x)
