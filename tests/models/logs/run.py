"""Writes in every way that there is."""

import logging
import os
import subprocess
import sys
import threading
import warnings

from cog import BaseRunner, Input

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")


def in_a_thread() -> None:
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()


def progress() -> None:
    for percent in (0, 50, 100):
        sys.stderr.write(f"\r{percent}%")
        sys.stderr.flush()
    sys.stderr.write("\n")


def both() -> None:
    print("out 1", flush=True)
    print("err 1", file=sys.stderr, flush=True)
    print("out 2", flush=True)


def everything_at_once() -> None:
    print("first", flush=True)
    subprocess.run(["echo", "second"], check=True)
    os.write(1, b"third\n")
    print("fourth", flush=True)


WAYS = {
    "nothing": lambda: None,
    "print": lambda: print("printed"),
    "stderr": lambda: print("to stderr", file=sys.stderr),
    "both": both,
    "logging": lambda: logging.getLogger("model").info("logged"),
    "warning": lambda: warnings.warn("warned", UserWarning, stacklevel=1),
    "thread": in_a_thread,
    "progress": progress,
    "unterminated": lambda: print("no newline at the end", end=""),
    "unicode": lambda: print("h\u00e9 \U0001f600 \u2028"),
    "blank lines": lambda: print("\n\na\n\n"),
    "subprocess": lambda: subprocess.run(["echo", "from a subprocess"], check=True),
    "os.write": lambda: os.write(1, b"from os.write\n"),
    "buffer": lambda: (sys.stdout.buffer.write(b"from the buffer\n"), sys.stdout.buffer.flush()),
    "dunder": lambda: print("from sys.__stdout__", file=sys.__stdout__, flush=True),
    "in order": everything_at_once,
    "writelines": lambda: sys.stdout.writelines(["one\n", "two\n"]),
    "not utf-8": lambda: os.write(2, b"bad \xff byte\n"),
}


class Runner(BaseRunner):
    def setup(self) -> None:
        print("setting up")
        sys.stdout.flush()

    def run(self, way: str = Input(default="print", choices=list(WAYS))) -> None:
        WAYS[way]()
