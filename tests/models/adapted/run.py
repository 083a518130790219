"""Takes what it has learned with each prediction: one process for all versions that are trained from it."""

import asyncio
import os
from pathlib import Path as File

from cog import BaseModel, BaseRunner, Input, Path, concurrent


class TrainingOutput(BaseModel):
    weights: Path


def train(text: str) -> TrainingOutput:
    known = os.environ.get("COG_WEIGHTS")
    learned = File("learned.txt")
    learned.write_text((File(known).read_text() if known else "") + text)
    return TrainingOutput(weights=Path(learned))


class Runner(BaseRunner):
    async def setup(self, weights: Path | None = None) -> None:
        self.own = weights.read_text() if weights else ""
        self.together: dict[int, asyncio.Event] = {}
        self.here = 0

    @concurrent(max=8)
    async def run(
        self,
        text: str = "",
        beside: int = Input(default=0, description="Answers once so many are here at the same time"),
        replicate_weights: Path | None = Input(default=None),
    ) -> str:
        learned = replicate_weights.read_text() if replicate_weights else self.own
        name = replicate_weights.name if replicate_weights else ""
        self.here += 1
        full = self.together.setdefault(beside, asyncio.Event())
        if self.here >= beside:
            full.set()
        await full.wait()
        return f"{os.getpid()} {name} {learned}{text}"
