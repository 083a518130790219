"""A file in, a file out: the same bytes in reverse, under the same name."""

import tempfile
from pathlib import Path as LocalPath

from cog import BaseRunner, Path


class Runner(BaseRunner):
    def run(self, source: Path) -> Path:
        target = LocalPath(tempfile.mkdtemp()) / f"reversed{LocalPath(source).suffix}"
        target.write_bytes(LocalPath(source).read_bytes()[::-1])
        return Path(target)
