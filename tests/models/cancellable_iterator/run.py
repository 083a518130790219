"""Gives items until it is cancelled; posts to a URL after the first."""

import time
import urllib.request
from typing import Iterator

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, limit_s: float = 30, pause_s: float = 0.01, begun: str = "") -> Iterator[int]:
        end = time.monotonic() + limit_s
        number = 0
        while time.monotonic() < end:
            yield number
            if begun and not number:
                urllib.request.urlopen(begun, b"").close()
            number += 1
            time.sleep(pause_s)
