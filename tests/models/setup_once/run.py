"""Setup fails the first time that it runs beside a given file, then works: a restart mends it."""

from pathlib import Path

from cog import BaseRunner


class Runner(BaseRunner):
    def setup(self) -> None:
        mark = Path("tried")
        if not mark.exists():
            mark.touch()
            raise RuntimeError("not the first time")

    def run(self) -> str:
        return "ok"
