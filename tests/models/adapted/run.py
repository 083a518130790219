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
        self.here = 0
        self.came = asyncio.Condition()

    @concurrent(max=8)
    async def run(
        self,
        text: str = "",
        beside: int = Input(default=0, description="Waits until so many wait here"),
        replicate_weights: Path | None = Input(default=None),
    ) -> str:
        learned = replicate_weights.read_text() if replicate_weights else self.own
        name = replicate_weights.name if replicate_weights else ""
        async with self.came:
            self.here += bool(beside)
            self.came.notify_all()
            await self.came.wait_for(lambda: self.here >= beside)
        return f"{name} {learned}{text}"
