"""Imports what only some models need: asyncio alone is half the time that an empty model takes to start.

By then the model's folder is on ``sys.path``; it is left out here, so that a file of the model named like a
standard module breaks nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def get(module: str, name: str) -> Any:
    """``name`` of the module, imported now unless it was before."""
    path = list(sys.path)
    sys.path[:] = [entry for entry in path if entry != ""]
    try:
        return getattr(importlib.import_module(module), name)
    finally:
        sys.path[:] = path
