"""What input and output schemas share: scalar types, titles, values as JSON, names for messages."""

from __future__ import annotations

import enum
import inspect
import math
import os
import typing
from typing import Any

from stoker_worker import signature
from stoker_worker.errors import ModelError

_SCALARS = {bool: "boolean", int: "integer", float: "number", str: "string"}
_KINDS: dict[str, dict[str, Any]] = {
    "path": {"type": "string", "format": "uri"},
    "file": {"type": "string", "format": "uri"},
    "secret": {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True},
}


def scalar(annotation: Any) -> dict[str, Any] | None:
    """The schema of str, int, float, bool, Path, File and Secret; None for any other type."""
    if annotation in _SCALARS:
        return {"type": _SCALARS[annotation]}
    kind = signature.scalar_kind(annotation)
    return dict(_KINDS[kind]) if kind in _KINDS else None


def is_dict(annotation: Any) -> bool:
    """Whether it is a dict of any spelling, a TypedDict included; without its type arguments."""
    return inspect.isclass(annotation) and issubclass(annotation, dict)


def has_coder(annotation: Any) -> bool:
    """Whether the model registered a ``cog.coder.Coder`` for the type; its values are JSON objects."""
    from cog.coder import Coder  # seldom needed; the rest of cog is imported by then

    return Coder.lookup(annotation) is not None


def title(name: str) -> str:
    """``num_outputs`` becomes ``Num Outputs``, ``loraURL`` ``LoraURL`` (``str.title`` differs)."""
    return " ".join(part[:1].upper() + part[1:] for part in name.split("_"))


def type_name(annotation: Any) -> str:
    """The type as a message shows it."""
    plain = inspect.isclass(annotation) and typing.get_origin(annotation) is None
    return annotation.__name__ if plain else str(annotation).replace("typing.", "")


def json_value(value: Any, what: str) -> Any:
    """The value as JSON has it; raises ``ModelError`` naming ``what`` where JSON has no such value."""
    if isinstance(value, enum.Enum):
        return json_value(value.value, what)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, dict):
        return {str(key): json_value(item, what) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_value(item, what) for item in value]
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
    elif getattr(value, "ndim", None) == 0:  # a scalar of NumPy or torch
        return json_value(value.item(), what)
    raise ModelError(f"{what} is not a JSON value: {value!r}")
