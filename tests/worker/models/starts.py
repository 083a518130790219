"""Models about being started: what they see, and how setting up may fail."""

import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path as LocalPath
from typing import Any, Optional

from cog import BasePredictor, File, Path


def empty() -> str:
    return ""


def look() -> dict:
    """What the process finds around itself."""
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path0": sys.path[0],
        "argv": sys.argv,
        "session": os.getsid(0) == os.getpid(),
        "temp": tempfile.gettempdir(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "stdin": sys.stdin.read(),
        "data_limit": resource.getrlimit(resource.RLIMIT_DATA)[0],
        "files_limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "modules": [name for name in ("stoker", "asyncio", "requests") if name in sys.modules],
    }


def write_beside() -> str:
    """Changes its own source folder."""
    LocalPath("starts.py").write_text("changed")
    LocalPath("cache").mkdir()
    return LocalPath("starts.py").read_text()


def read_large() -> list[Any]:
    path = LocalPath("large.bin")
    return [path.is_symlink(), path.stat().st_size]


def allocate(size: int) -> int:
    return len(bytearray(size))


class Prepared(BasePredictor):
    def setup(self) -> None:
        print("getting ready")
        self.thread = threading.get_ident()
        self.local = threading.local()
        self.local.value = "kept"

    def predict(self) -> list[Any]:
        return [self.thread == threading.get_ident(), self.local.value]


class AsyncSetup(BasePredictor):
    async def setup(self) -> None:
        self.value = "from async"

    def predict(self) -> str:
        return self.value


class Weights(BasePredictor):
    def setup(self, weights: Optional[Path] = None) -> None:
        self.weights = weights

    def predict(self) -> str:
        return f"{type(self.weights).__name__} {self.weights}"


class OpenWeights(Weights):
    def setup(self, weights: File) -> None:
        self.weights = weights.read().decode()


class PlainWeights(Weights):
    def setup(self, weights) -> None:
        self.weights = weights


class Broken(BasePredictor):
    def setup(self) -> None:
        print("about to fail")
        raise RuntimeError("no weights here")

    def predict(self) -> str:
        return ""


class Exits(Broken):
    def setup(self) -> None:
        sys.exit(4)


class Dies(Broken):
    def setup(self) -> None:
        print("dying", flush=True)
        os.kill(os.getpid(), 9)


class Hangs(Broken):
    def setup(self) -> None:
        print("sleeping")
        time.sleep(1000)


def train(n: int) -> str:
    return "trained"
