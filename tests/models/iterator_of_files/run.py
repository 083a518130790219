"""Files one after another, all under one name that the model writes again and removes at the end."""

import tempfile
from pathlib import Path as LocalPath
from typing import Iterator

from cog import BaseRunner, Path


class Runner(BaseRunner):
    def run(self, count: int = 3) -> Iterator[Path]:
        frame = LocalPath(tempfile.mkdtemp()) / "frame.txt"
        for number in range(count):
            frame.write_text(f"frame {number}")
            yield Path(frame)
        frame.unlink()
