"""Multiplies by the number in its checkpoint, and adds what it was trained to."""

import json
import os
import struct
from pathlib import Path

from cog import BaseRunner
from cog import Path as CogPath


def factor() -> int:
    """The first number of the checkpoint's weights."""
    folder = os.environ.get("STOKER_CHECKPOINT")
    if folder is None:
        raise RuntimeError("This model needs weights: STOKER_CHECKPOINT is not set")
    with (Path(folder) / "model.safetensors").open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        start, end = json.loads(file.read(length))["factor"]["data_offsets"]
        file.seek(8 + length + start)
        return struct.unpack("<q", file.read(end - start))[0]


class Runner(BaseRunner):
    def setup(self, weights: CogPath | None = None) -> None:
        self.factor = factor()
        self.offset = int(Path(weights).read_text()) if weights else 0

    def run(self, number: int) -> int:
        return number * self.factor + self.offset


def train(offset: int) -> CogPath:
    """Its result has the base's factor in it, to show that a training sees the checkpoint, too."""
    learned = Path("learned.txt")
    learned.write_text(str(offset * factor()))
    return CogPath(learned)
