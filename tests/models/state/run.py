"""Keeps a count from one prediction to the next, as instances do."""

import os

from cog import BaseRunner


class Runner(BaseRunner):
    def setup(self) -> None:
        self.count = 0

    def run(self) -> dict:
        self.count += 1
        return {"count": self.count, "process": os.getpid()}
