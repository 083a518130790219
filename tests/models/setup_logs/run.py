"""Setup writes in several ways and leaves a line unfinished."""

import subprocess
import sys

from cog import BaseRunner


class Runner(BaseRunner):
    def setup(self) -> None:
        for number in range(300):
            print(f"line {number}")
        print("to stderr", file=sys.stderr)
        sys.stdout.flush()
        subprocess.run(["echo", "from a subprocess"], check=True)
        print("unfinished", end="")

    def run(self) -> str:
        print("from run")
        return "ok"
