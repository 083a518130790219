"""Which predictions may share one run: those of one account that ask a version the same. Pure.

A caller or a model opts in; inputs with secrets never do. Only what succeeded is given again, only while its
data is kept, and only within the lifetime that was asked for.
"""

import hashlib
import re
from typing import Any, Literal

import msgspec

from stoker.core.errors import FieldProblem, InputInvalid
from stoker.core.prediction import Prediction

Came = Literal["hit", "shared", "miss"]
"""How a prediction that may share came to its answer: from the store, by another's run, or by its own."""

LONGEST_S = 10 * 365 * 86400
_SAYS = "Must be no-store or max-age=SECONDS"
_MAX_AGE = re.compile(r"^max-age=([0-9]{1,9})$")
TIMES = ("predict_time", "total_time")


def asked_s(header: str | None, model_s: float | None) -> float | None:
    """How old an answer may be; None where nothing is shared. The request's word comes before the model's."""
    if header is None:
        return model_s
    if header.strip() == "no-store":
        return None
    found = _MAX_AGE.match(header.strip())
    if found is None or int(found[1]) > LONGEST_S:
        raise InputInvalid([FieldProblem("invalid", "Stoker-Cache", _SAYS)])
    return float(found[1])


def likeness(input: dict[str, Any]) -> str:
    """The same for inputs that say the same, in whatever order: sha256, hex."""
    return hashlib.sha256(msgspec.json.encode(input, order="deterministic")).hexdigest()


def own_metrics(source: Prediction) -> dict[str, Any]:
    """What the model itself measured of the run: it goes with the output, the times do not."""
    metrics: dict[str, Any] = msgspec.json.decode(source.metrics)
    return {name: value for name, value in metrics.items() if name not in TIMES}
