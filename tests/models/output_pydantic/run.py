"""A structured output made with pydantic."""

from cog import BaseRunner
from pydantic import BaseModel, Field


class Part(BaseModel):
    name: str
    weight: float = 1.0


class Output(BaseModel):
    title: str
    parts: list[Part] = Field(default_factory=list)


class Runner(BaseRunner):
    def run(self, title: str = "t") -> Output:
        return Output(title=title, parts=[Part(name="a"), Part(name="b", weight=2)])
