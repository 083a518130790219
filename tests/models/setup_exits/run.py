"""Setup calls sys.exit."""

import sys

from cog import BaseRunner


class Runner(BaseRunner):
    def setup(self) -> None:
        print("leaving")
        sys.exit(4)

    def run(self) -> str:
        return "not reached"
