"""A model that is trained to a text: it begins every answer with what it has learned."""

import os
import time

from cog import BaseModel, BaseRunner, Input, Path, current_scope


class TrainingOutput(BaseModel):
    weights: Path


def train(
    text: Path,
    rounds: int = Input(default=1, ge=1, le=10),
    pause_s: float = Input(default=0),
    fail: bool = Input(default=False),
) -> TrainingOutput:
    known = os.environ.get("COG_WEIGHTS")
    learned = Path(known).read_text() if known else ""
    for number in range(rounds):
        print(f"round {number + 1}", flush=True)
        time.sleep(pause_s)
        learned += text.read_text()
    if fail:
        raise ValueError("nothing was learned")
    current_scope().record_metric("letters", len(learned))
    Path("learned.txt").write_text(learned)
    return TrainingOutput(weights=Path("learned.txt"))


class Runner(BaseRunner):
    def setup(self, weights: Path | None = None) -> None:
        self.learned = weights.read_text() if weights else ""
        self.name = weights.name if weights else ""

    def run(self, text: str = "") -> str:
        return self.name + self.learned + text
