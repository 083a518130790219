"""What the catalogue's tests share: tiny checkpoints, and a process that has torch."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
PYTHON = ROOT / ".venv/models/bin/python"
COMPILED = ROOT / ".venv/models/pycache"
"""Importing torch and transformers takes three times as long where nothing of them is compiled yet."""
WITHIN_S = 300


def environment() -> dict[str, str]:
    """One thread and no network, as a model's process; and nothing is left beside the sources."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    own = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPYCACHEPREFIX": str(COMPILED)}
    return inherited | own


def make_tiny(model: str, folder: Path) -> Path:
    """The tiny checkpoint of a model, by the command that anyone can use."""
    assert PYTHON.exists(), "the tests need an environment with torch: make .venv/models/.installed"
    done = subprocess.run(
        [PYTHON, MODELS / "tiny", model, folder],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Lab:
    """``lab("function", argument=...)`` calls a function of a module of this folder, where torch is."""

    def __init__(self, model: str, module: str, log: Path):
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [PYTHON, Path(__file__).parent / "lab.py", MODELS / model, module],
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def __call__(self, function: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def close(self) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(WITHIN_S)
