"""Takes the time that it is told to, printing each tenth of a second."""

import time

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, seconds: float = Input(default=1, ge=0), text: str = "done") -> str:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            print(f"{left:.1f} s left", flush=True)
            time.sleep(min(left, 0.1))
        return text
