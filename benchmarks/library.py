"""A library by itself, in a process where torch is: calls and answers are lines of JSON.

Called by the benchmarks of the catalogue's models. Needs ``make .venv/models/.installed``.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stoker.engines.devices import Devices
from stoker.engines.machine import LocalMachine

PYTHON = Path(__file__).parents[1] / ".venv/models/bin/python"


@contextmanager
def alone(script: str) -> Iterator[Callable[..., Any]]:
    """Calls to a script beside this file, with as many threads as an instance has."""
    threads = str(LocalMachine([], Devices(), data_dir=Path()).threads(0))
    command = [PYTHON, Path(__file__).with_name(script)]
    with subprocess.Popen(
        command,
        env=os.environ | {"OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def call(name: str, **arguments: Any) -> Any:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps([name, arguments]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the library by itself has ended; see above")
            return json.loads(line)

        yield call
        assert process.stdin is not None
        process.stdin.close()
