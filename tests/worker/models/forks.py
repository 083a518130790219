"""A model that tells what it has in common with others that came from the same process."""

import os
import random
import secrets
import signal
import sys
import tempfile
import threading
import uuid
from pathlib import Path as LocalPath
from subprocess import run
from typing import Any

import heavy  # written by the test

LOADED = "loaded" not in os.environ and os.environ.setdefault("loaded", "here")


def draw() -> list[Any]:
    """What no two processes may have alike."""
    return [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), secrets.token_hex(), tempfile.mktemp()]


def look() -> dict:
    """What must be as in a process that was started plainly."""
    status = dict(line.split(":\t", 1) for line in LocalPath("/proc/self/status").read_text().splitlines())
    return {
        "signals": [status[name] for name in ("SigBlk", "SigIgn", "SigCgt")],
        "handlers": [
            str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
        ],
        "ids": [os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid(), os.getppid()],
        "thread": threading.get_native_id() == os.getpid() and threading.current_thread().name,
        "path": [entry for entry in sys.path if "environment" not in entry],
        "argv": sys.argv,
        "environment": sorted(os.environ),
        "c": sorted(
            line.partition("=")[0]
            for line in run("env", capture_output=True, text=True).stdout.splitlines()
            if line[0] != "_"
        ),
        "limits": status["Cpus_allowed"],
        "descriptors": sorted(kind_of(name) for name in os.listdir("/proc/self/fd")),
    }


def kind_of(name: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{name}").partition(":")[0]
    except OSError:
        return ""


def paths() -> list[str]:
    """Where a package that computed paths at its import thinks it is, and what is there."""
    LocalPath(heavy.KEPT["inner"]).mkdir(parents=True)
    return [heavy.CACHE, str(heavy.FOLDER), os.path.realpath(heavy.KEPT["inner"]), os.environ["HOME"]]


def pid() -> int:
    return os.getpid()


def dies() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


class Waits:
    """Never becomes ready."""

    def setup(self) -> None:
        signal.pause()

    def run(self) -> str:
        return "ok"
