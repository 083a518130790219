"""An exception in words: for ``error`` of a prediction, and as a traceback for its logs."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

_OWN_FOLDER = f"{Path(__file__).parent}/"
_LONGEST = 65_536


def words(error: BaseException) -> str:
    """The exception's own words, or its class name where it has none; never fails."""
    if isinstance(error, SystemExit):
        return f"SystemExit: {error.code}"
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the model's class: anything may come of it
        return "<exception str() failed>"
    if not text and isinstance(error, MemoryError):
        return "out of memory"
    return (text or type(error).__name__)[:_LONGEST]


def log(error: BaseException) -> None:
    """Prints the traceback to the logs, beginning with the model's own code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
        trace = trace.tb_next
    try:
        traceback.print_exception(type(error), error, trace, file=sys.stderr)
    except Exception as trouble:  # noqa: BLE001 - printing calls the model's __str__ and stream
        name = type(error).__name__
        print(f"{name} (its traceback could not be printed: {trouble!r})", file=sys.__stderr__)
