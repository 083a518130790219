"""The process dies in setup."""

import os

from cog import BaseRunner


class Runner(BaseRunner):
    def setup(self) -> None:
        print("about to die", flush=True)
        os._exit(5)

    def run(self) -> str:
        return "not reached"
