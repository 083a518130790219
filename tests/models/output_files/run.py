"""Several files at once, in an order that must stay, with names that need escaping."""

import tempfile
from pathlib import Path as LocalPath

from cog import BaseRunner, Path

NAMES = ["big.bin", "small one.txt", "small#two?.txt"]


class Runner(BaseRunner):
    def run(self, big_bytes: int = 300_000) -> list[Path]:
        folder = LocalPath(tempfile.mkdtemp())
        for name in NAMES:
            (folder / name).write_bytes(b"b" * big_bytes if name == "big.bin" else name.encode())
        return [Path(folder / name) for name in NAMES]
