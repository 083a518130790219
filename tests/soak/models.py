"""The models of a soak: Cog projects from one template, each of its own name, all with one slow import.

The import is in a package of their common environment, so their instances are forked from the second boot on.
Each takes as much memory as one is expected to take, so that a server that is told to use ``room_bytes`` has
room for so many, before it has looked at them as well as after.
"""

from pathlib import Path
from typing import Literal

from stoker.runtime.placing import EXPECTED_BYTES
from tests.wheels import make_wheel

Kind = Literal["text", "file", "items", "many"]
"""Gives text; takes and gives a file; gives item by item; is asynchronous with several slots."""
KINDS: tuple[Kind, ...] = ("text", "file", "items", "many")

INSTANCES = 3
BALLAST_BYTES = EXPECTED_BYTES - (32 << 20)
"""With an interpreter and its modules it is a bit less than what is expected."""

HEAVY = "import time\n\ntime.sleep(0.4)\n"
"""Longer than what the engine takes for quick."""

YAML = """build:
  python_version: "3.11"
  python_requirements: parts/requirements.txt
run: run.py:Runner
"""
SLOTS = "concurrency:\n  max: 4\n"

HEAD = '''"""One of many that differ in their names."""

import asyncio
import os
import tempfile
import time
from typing import Iterator

import heavy
from cog import BaseRunner, Path

NAME = "{name}"


class Base(BaseRunner):
    def setup(self) -> None:
        self.ballast = bytearray(b"x") * {ballast_bytes}

    def begin(self, does: str, text: str) -> None:
        print(f"pid {{os.getpid()}}", flush=True)
        print(f"{{does}} {{text}}", flush=True)
        self.record_metric("runs", 1, "incr")
        if does == "raise":
            raise ValueError(f"no {{text}}")


class Runner(Base):
'''
RUNS: dict[Kind, str] = {
    "text": """
    def run(self, does: str = "do", text: str = "", seconds: float = 0) -> str:
        self.begin(does, text)
        time.sleep(600 if does == "hang" else seconds)
        return f"{NAME} {text}"
""",
    "file": """
    def run(self, given: Path, does: str = "do", text: str = "", seconds: float = 0) -> Path:
        self.begin(does, text)
        time.sleep(600 if does == "hang" else seconds)
        target = Path(tempfile.mkdtemp()) / "answer.txt"
        target.write_text(f"{NAME} {text} {given.read_text()}")
        return target
""",
    "items": """
    def run(self, does: str = "do", text: str = "", seconds: float = 0) -> Iterator[str]:
        self.begin(does, text)
        for word in (NAME, text, "a", "b", "c"):
            yield word
            time.sleep(600 if does == "hang" else seconds / 5)
""",
    "many": """
    async def run(self, does: str = "do", text: str = "", seconds: float = 0) -> str:
        self.begin(does, text)
        await asyncio.sleep(600 if does == "hang" else seconds)
        return f"{NAME} {text}"
""",
}


def name_of(number: int) -> str:
    return f"soak-{number:02}"


def kind_of(number: int) -> Kind:
    return KINDS[number % len(KINDS)]


def room_bytes() -> int:
    """Main memory for ``INSTANCES`` of them and no more."""
    return INSTANCES * EXPECTED_BYTES + (16 << 20)


def make(folder: Path, number: int) -> Path:
    """The project of one of them, in a new folder."""
    kind = kind_of(number)
    wheel, content = make_wheel("heavy", HEAVY)
    parts = folder / "parts"
    parts.mkdir(parents=True)
    (parts / wheel).write_bytes(content)
    (parts / "requirements.txt").write_text(f"./{wheel}\n")
    (folder / "cog.yaml").write_text(YAML + (SLOTS if kind == "many" else ""))
    (folder / "name.txt").write_text(name_of(number))
    head = HEAD.format(name=name_of(number), ballast_bytes=BALLAST_BYTES)
    (folder / "run.py").write_text(head + RUNS[kind])
    return folder
