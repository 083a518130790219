"""Models that end in bad ways, and what they leave behind."""

import asyncio
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from typing import Any, Iterator

_SLEEP = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)",
]


def ends(how: str) -> str:
    print("last words", flush=True)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "segfault":
        ctypes.string_at(0)
    elif how == "abort":
        os.abort()
    elif how == "exit":
        os._exit(3)
    elif how == "exit0":
        os._exit(0)
    elif how == "close":
        os.closerange(3, 256)
    elif how == "garbage":
        os.write(_protocol_socket(), b"\x00" * 64)
    elif how == "huge":
        os.write(_protocol_socket(), b"\xff" * 64)
    elif how == "not json":
        os.write(_protocol_socket(), b"\x00\x00\x00\x05\x13\x00\x00\x00\x01nope!")
    time.sleep(1000)
    return ""


def _protocol_socket() -> int:
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                return fd
        except OSError:
            continue
    raise RuntimeError("no socket")


def family(wait: bool = False) -> list[int]:
    """Starts processes in every place where they could be forgotten; gives their ids, its own first."""
    cleared = {"PATH": os.environ["PATH"]}
    started = [
        subprocess.Popen(_SLEEP),
        subprocess.Popen(_SLEEP, start_new_session=True),
        subprocess.Popen(_SLEEP, preexec_fn=os.setpgrp),
        subprocess.Popen(_SLEEP, env=cleared),
        subprocess.Popen(_SLEEP, env=cleared, start_new_session=True),
    ]
    fork = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,))
    fork.start()
    pids = [os.getpid(), *(process.pid for process in started), fork.pid]
    print(*pids, flush=True)
    if wait:
        time.sleep(1000)
    return pids


def holds_the_lock() -> str:
    """Never gives the interpreter's lock back: only C code runs from here on."""
    print(os.getpid(), flush=True)
    ctypes.PyDLL(None).sleep(1000)
    return ""


async def async_exits() -> str:
    sys.exit(5)


async def async_task_exits() -> str:
    async def leave() -> None:
        sys.exit(6)

    task = asyncio.ensure_future(leave())
    while not task.done():
        await asyncio.sleep(0)
    return "still here"


def tells_more_in_a_fork() -> Iterator[int]:
    """A forked child has the same socket and ends as this process does."""
    yield 1
    if os.fork() == 0:
        raise SystemExit
    os.wait()
    yield 2


def number(value: int) -> Any:
    return value


def links() -> str:
    """Tries to make the server take a file of its own away."""
    import json
    import struct

    outbox = os.path.join(os.path.dirname(os.getcwd()), "outbox")
    os.symlink("/etc/hostname", os.path.join(outbox, "link"))
    files = [{"at": [], "path": os.path.join(outbox, "link"), "name": "x"}]
    body = json.dumps({"value": None, "item": False, "files": files}).encode()
    os.write(_protocol_socket(), struct.pack(">IBI", len(body), 21, 1) + body)
    time.sleep(1000)
    return ""
