"""Runs until it is cancelled, in one of several ways of taking it; posts to a URL when it has begun."""

import time
import urllib.request

from cog import BaseRunner, CancelationException, Input


class Runner(BaseRunner):
    def run(
        self,
        way: str = Input(
            default="plain",
            choices=["plain", "sleeps", "cleans up", "swallows", "other error", "not caught"],
        ),
        limit_s: float = 30,
        begun: str = "",
    ) -> str:
        print("started", flush=True)
        try:
            if begun:
                urllib.request.urlopen(begun, b"").close()
            self.wait(way, limit_s)
        except CancelationException:
            if way == "swallows":
                return "carried on"
            if way == "other error":
                raise ValueError("while stopping") from None
            if way == "cleans up":
                time.sleep(0.1)
                print("cleaned up", flush=True)
            raise
        return "ran to its end"

    def wait(self, way: str, limit_s: float) -> None:
        end = time.monotonic() + limit_s
        if way == "sleeps":
            time.sleep(limit_s)
        while time.monotonic() < end:
            try:
                time.sleep(0.001)
            except Exception:
                print("caught as an Exception", flush=True)
