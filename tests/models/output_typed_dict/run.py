"""A structured output as a TypedDict."""

from typing import TypedDict

from cog import BaseRunner


class Box(TypedDict):
    left: int
    label: str


class Runner(BaseRunner):
    def run(self, left: int = 1) -> Box:
        return {"left": left, "label": "box"}
