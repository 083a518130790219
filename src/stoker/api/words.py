"""JSON schema's names of types, for messages (section 11 of the HTTP contract)."""

from types import NoneType
from typing import Any, get_origin

_NAMES: dict[Any, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    NoneType: "null",
}


def type_name(kind: Any) -> str | None:
    """What JSON schema calls a Python type; None where it has no name for it."""
    return _NAMES.get(get_origin(kind) or kind)
