"""Plays the story of a client that lives in another interpreter: Node, or the other Python client."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODELS = ("empty", "concatenate", "file_round_trip", "cancellable")
"""What the stories run; their versions are the last arguments, in this order."""


def tell(command: Sequence[str | Path], variables: dict[str, str]) -> Any:
    """What the program says last, which is JSON; it must succeed."""
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
