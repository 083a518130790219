"""Text of any size."""

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, size_bytes: int = Input(default=7_000_000, ge=0)) -> str:
        return "x" * size_bytes
