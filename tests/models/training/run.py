"""A model with a training entry point."""

from cog import BaseModel, BaseRunner, Input, Path


class TrainingOutput(BaseModel):
    weights: Path


def train(text: Path, rounds: int = Input(default=1, ge=1, le=10)) -> TrainingOutput:
    Path("weights.txt").write_text(Path(text).read_text() * rounds)
    return TrainingOutput(weights=Path("weights.txt"))


class Runner(BaseRunner):
    def run(self, text: str = "") -> str:
        return text
