"""Where files are in an input, by the version's schema."""

from collections.abc import Iterator
from typing import Any, cast

Place = list[str | int]


def file_inputs(schema: dict[str, Any]) -> dict[str, str | None]:
    """The properties of an ``Input`` schema that take files (or lists of them), with default URLs."""
    found: dict[str, str | None] = {}
    for name, described in schema.get("properties", {}).items():
        if is_file(described) or (described.get("type") == "array" and is_file(described.get("items", {}))):
            default = described.get("default")
            found[name] = default if isinstance(default, str) else None
    return found


def files_in(input: dict[str, Any], files: dict[str, str | None]) -> Iterator[tuple[Place, str]]:
    """Each text given for a file, with its place; a default stands in for what was left out."""
    for name, default in files.items():
        value = input.get(name, default)
        if isinstance(value, str):
            yield [name], value
        elif isinstance(value, list):
            for index, item in enumerate(cast(list[Any], value)):
                if isinstance(item, str):
                    yield [name, index], item


def put(value: Any, at: Place, new: Any) -> Any:
    """The value with ``new`` at that place (changed in place; an empty place is the whole value)."""
    if not at:
        return new
    place = value
    for step in at[:-1]:
        place = place[step]
    place[at[-1]] = new
    return value


def is_file(described: dict[str, Any]) -> bool:
    """Whether what a schema describes so is one file."""
    return described.get("format") == "uri" and described.get("type") == "string"
