"""What a story sees of the machine: memory, processes, and small Cog projects on the disk."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import StokerServer

WITHIN_S = 30.0
MIB = 1024 * 1024

YAML = 'build:\n  python_version: "3.11"\nrun: run.py:Runner\n'

ECHO = """
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, text: str = "") -> str:
        return text
"""


def project(folder: Path, code: str = ECHO, *, yaml: str = YAML, **files: str) -> Path:
    """A Cog project in a new folder; the names of more files have ``__`` for ``/``."""
    folder.mkdir()
    (folder / "cog.yaml").write_text(yaml)
    (folder / "run.py").write_text(code)
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def until(holds: Callable[[], object], what: str) -> None:
    """Asks again and again until it holds."""
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end, f"it did not come to hold: {what}"


@contextmanager
def grows_less_than(server: StokerServer, limit_bytes: int) -> Iterator[None]:
    """The server's memory must not at any moment within rise by more than that."""
    assert server.process is not None
    process = Path("/proc") / str(server.process.pid)
    (process / "clear_refs").write_text("5")  # the highest mark starts anew from here
    before = _memory(process, "VmRSS")
    yield
    grown = _memory(process, "VmHWM") - before
    assert grown < limit_bytes, f"the server grew by {grown >> 20} MiB"


def _memory(process: Path, name: str) -> int:
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return int(lines[name].split()[0]) * 1024
