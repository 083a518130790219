"""A file of a megabyte (or any size) goes out; every run makes other bytes."""

import random
import tempfile
from pathlib import Path as LocalPath

from cog import BaseRunner, Input, Path


class Runner(BaseRunner):
    def setup(self) -> None:
        self.noise = random.Random(7).randbytes(1 << 20)
        self.made = 0

    def run(self, size_bytes: int = Input(default=1 << 20, ge=0)) -> Path:
        self.made += 1
        body = (self.noise * (size_bytes // len(self.noise) + 1))[:size_bytes]
        picture = LocalPath(tempfile.gettempdir()) / "picture.png"
        picture.write_bytes(self.made.to_bytes(8, "big")[: len(body)] + body[8:])
        return Path(picture)
