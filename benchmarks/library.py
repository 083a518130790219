"""A library by itself, in a process where torch is: calls and answers are lines of JSON.

Called by the benchmarks of the catalogue's models. Needs ``make .venv/models/.installed``.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stoker.engines.devices import Devices
from stoker.engines.machine import LocalMachine

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv/models/bin/python"


class Library:
    """A process that has the library; called with a function's name and its arguments."""

    def __init__(self, process: subprocess.Popen[str]):
        self._process = process
        self.pid = process.pid

    def __call__(self, name: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the library by itself has ended; see above")
        return json.loads(line)


@contextmanager
def alone(script: str, *models: str) -> Iterator[Library]:
    """Calls to a script of ``alone``, with as many threads as an instance has.

    It can import what lies in the folders of those models, which are no packages.
    """
    path = os.pathsep.join(str(ROOT / "models" / model) for model in models)
    threads = str(LocalMachine([], Devices(), data_dir=Path()).threads(0))
    command = [PYTHON, Path(__file__).with_name("alone") / script]
    with subprocess.Popen(
        command,
        env=os.environ | {"OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1", "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Library(process)
        assert process.stdin is not None
        process.stdin.close()
