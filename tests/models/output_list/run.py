"""A list at once: an array that does not grow."""

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, count: int = 2) -> list[str]:
        return [f"item {number}" for number in range(count)]
