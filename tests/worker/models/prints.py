"""Models about logs."""

import asyncio
import ctypes
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import warnings
from typing import Any, Iterator

from cog import BasePredictor


class Everywhere(BasePredictor):
    """Prints in every way that there is."""

    def setup(self) -> None:
        print("setup ends without a newline", end="")

    def predict(self, name: str) -> str:
        print("print", name)
        sys.stderr.write(f"stderr {name}\n")
        logging.warning("logging %s", name)
        warnings.warn(f"warning {name}", stacklevel=1)
        sys.__stdout__.write(f"original {name}\n")
        sys.__stdout__.flush()
        sys.stdout.buffer.write(f"buffer {name}\n".encode())
        sys.stdout.flush()
        os.write(1, f"os {name}\n".encode())
        subprocess.run(["echo", "subprocess", name], check=True)
        ctypes.CDLL(None).printf(b"printf %s\n", name.encode())
        thread = threading.Thread(target=lambda: print("thread", name))
        thread.start()
        thread.join()
        fork = multiprocessing.get_context("fork").Process(
            target=lambda: os.write(1, f"fork {name}\n".encode())
        )
        fork.start()
        fork.join()
        print("unfinished", name, end="")
        ctypes.CDLL(None).printf(b"printf unfinished")
        return name


def odd_bytes() -> str:
    os.write(1, "\u2603".encode()[:2])
    os.write(1, "\u2603".encode()[2:])
    os.write(1, b"\xff\n")
    os.write(1, "\u2603".encode()[:2])
    return ""


def progress() -> str:
    for step in range(3):
        sys.stderr.write(f"\rstep {step}")
        sys.stderr.flush()
    return ""


def raises() -> str:
    def inner() -> None:
        raise KeyError("the cause")

    try:
        inner()
    except KeyError as error:
        raise ValueError("boom") from error
    return ""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def bad(kind: str) -> str:
    raise {
        "empty": ValueError(),
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
        "unprintable": Unprintable(),
        "memory": MemoryError(),
        "base": BaseException("base"),
    }[kind]


def floods(megabytes: int) -> str:
    line = "x" * 1023 + "\n"
    for _ in range(megabytes):
        for _ in range(1024):
            sys.stdout.write(line)
    return "done"


def flooded_by_child() -> str:
    """The child goes on printing after the run."""
    subprocess.Popen(["yes", "still here"])
    return "done"


def interleaves() -> Iterator[str]:
    for i in range(3):
        print(f"before {i}")
        yield f"item {i}"


class Slotted(BasePredictor):
    """Several runs at once."""

    async def setup(self) -> None:
        print("async setup")

    async def predict(self, name: str, turns: int = 20) -> str:
        print("begin", name, end="")
        sys.stderr.write(f"stderr begins {name} ")
        for turn in range(turns):
            await asyncio.sleep(0)
            print(f" {name}{turn}", end="")
        print()
        await asyncio.to_thread(print, "thread", name)
        await asyncio.gather(*(self._task(name, i) for i in range(2)))
        sys.stdout.buffer.write(f"buffer {name}\n".encode())
        sys.stdout.writelines([f"lines {name}\n"])
        os.write(1, f"descriptor {name}\n".encode())
        logging.getLogger("model").warning("logging %s", name)
        print("unfinished", name, end="")
        return name

    async def _task(self, name: str, number: int) -> None:
        await asyncio.sleep(0)
        print("task", number, name)


async def stream_of_slot() -> dict[str, Any]:
    import io

    out = sys.stdout
    out.reconfigure(line_buffering=True)
    return {
        "text": isinstance(out, io.TextIOBase),
        "encoding": out.encoding,
        "errors": out.errors,
        "name": out.name,
        "tty": out.isatty(),
        "fileno": out.fileno(),
        "writable": out.writable(),
        "closed": out.closed,
    }


async def slot_floods(megabytes: int) -> str:
    """Prints without ever awaiting."""
    line = "x" * 1023 + "\n"
    for _ in range(megabytes):
        for _ in range(1024):
            sys.stdout.write(line)
    return "done"


async def thread_floods(megabytes: int) -> str:
    return await asyncio.to_thread(floods, megabytes)


async def leaves_a_task() -> str:
    async def later() -> None:
        while not os.path.exists("go on"):
            await asyncio.sleep(0.002)
        print("too late")

    leaves_a_task.task = asyncio.ensure_future(later())  # type: ignore[attr-defined]
    return "done"


async def lets_go() -> str:
    open("go on", "w").close()
    return ""
