"""Setup takes as long as an environment variable says, two seconds by default."""

import os
import time

from cog import BaseRunner


class Runner(BaseRunner):
    def setup(self) -> None:
        time.sleep(float(os.environ.get("SETUP_S", "2")))

    def run(self) -> str:
        return "ok"
