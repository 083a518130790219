"""OpenAPI schemas of versions, as short as the command line's tests need them."""

from typing import Any

TEXT_PIECES = {
    "type": "array",
    "items": {"type": "string"},
    "x-cog-array-type": "iterator",
    "x-cog-array-display": "concatenate",
}
FILE = {"type": "string", "format": "uri"}


def openapi(
    inputs: dict[str, Any] | None = None, output: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    properties = {name: {"x-order": at} | shape for at, (name, shape) in enumerate((inputs or {}).items())}
    schemas = {"Input": {"type": "object", "properties": properties}, "Output": output or {"type": "string"}}
    return {"openapi": "3.0.2", "paths": {}, "components": {"schemas": schemas | more}}
