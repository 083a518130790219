"""The process dies while it runs, in one of several ways."""

import ctypes
import os
import signal

from cog import BaseRunner, Input

WAYS = {
    "none": lambda: None,
    "exit": lambda: os._exit(3),
    "exit 0": lambda: os._exit(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
}


class Runner(BaseRunner):
    def run(self, way: str = Input(default="none", choices=list(WAYS))) -> int:
        print("about to end", flush=True)
        WAYS[way]()
        return os.getpid()
