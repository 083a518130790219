"""The values of ``-i name=value``, made what the version's schema asks for.

Used by run. Pure but for the files that ``@`` names: text inputs get what is in the file, file inputs
the address that ``attach`` gives for it. The server judges the values; here they only get their types.
"""

import difflib
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

Attach = Callable[[str], str]
"""Uploads the file of that path (``-`` is stdin) and gives the URL that stands for it."""

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_ARTICLES = {
    "integer": "an integer",
    "object": "a JSON object",
    "array": "a JSON array",
    "boolean": "true or false",
}


def read(given: Sequence[str], openapi: dict[str, Any], *, model: str, attach: Attach) -> dict[str, Any]:
    """The input object. An array may be one JSON text, or one ``-i`` for each of its items."""
    shapes = input_shapes(openapi)
    texts: dict[str, list[str]] = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not name or not equals:
            raise click.UsageError(f"-i wants NAME=VALUE, not {pair!r}.")
        if name not in shapes:
            raise click.UsageError(_unknown(name, shapes, model))
        texts.setdefault(name, []).append(text)
    required = openapi["components"]["schemas"]["Input"].get("required", [])
    if missing := [name for name in required if name not in texts]:
        raise click.UsageError(f"{model} needs {' and '.join(missing)}. {_taken(shapes)}")
    return {name: _value(name, found, shapes[name], attach) for name, found in texts.items()}


def input_shapes(openapi: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The inputs by name, in the model's order, with their references followed."""
    properties = openapi["components"]["schemas"]["Input"].get("properties", {})
    ordered = sorted(properties.items(), key=lambda item: item[1].get("x-order", 0))
    return {name: resolve(shape, openapi) for name, shape in ordered}


def resolve(shape: dict[str, Any], openapi: dict[str, Any]) -> dict[str, Any]:
    """A schema with its ``$ref`` and single ``allOf`` (that is how choices are written) merged in."""
    merged = dict(shape)
    for part in [*merged.pop("allOf", []), *([{"$ref": merged.pop("$ref")}] if "$ref" in merged else [])]:
        if "$ref" in part:
            part = resolve(openapi["components"]["schemas"].get(part["$ref"].rpartition("/")[2], {}), openapi)
        merged = part | merged
    return merged


def _unknown(name: str, shapes: dict[str, dict[str, Any]], model: str) -> str:
    if not shapes:
        return f"{model} takes no inputs, so there is no {name!r}."
    near = difflib.get_close_matches(name, shapes, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{model} has no input {name!r}.{hint} {_taken(shapes)}"


def _taken(shapes: dict[str, dict[str, Any]]) -> str:
    return f"It takes: {', '.join(map(_described, shapes.items()))}."


def _described(item: tuple[str, dict[str, Any]]) -> str:
    name, shape = item
    kind = "file" if _is_file(shape) else shape.get("type", "any of several types")
    if shape.get("type") == "array" and _is_file(shape.get("items", {})):
        kind = "array of files"
    return f"{name} ({kind})"


def _value(name: str, texts: list[str], shape: dict[str, Any], attach: Attach) -> Any:
    if shape.get("type") == "array":
        return _array(name, texts, shape, attach)
    if len(texts) > 1:
        raise click.UsageError(f"{name} is given {len(texts)} times, but it is not an array.")
    return _single(name, texts[0], shape, attach)


def _array(name: str, texts: list[str], shape: dict[str, Any], attach: Attach) -> list[Any] | None:
    items = shape.get("items", {})
    if len(texts) == 1:
        text = texts[0] if _is_file(items) else _text(name, texts[0])
        if text.lstrip().startswith("["):
            return _json(name, text, shape)
        if text == "null" and shape.get("nullable"):
            return None
        if not text:
            return []
    return [_single(name, text, items, attach) for text in texts]


def _single(name: str, text: str, shape: dict[str, Any], attach: Attach) -> Any:
    if not _is_file(shape):
        return _typed(name, _text(name, text), shape)
    if text.startswith("@"):
        return attach(text[1:])
    if ":" not in text and text and Path(text).is_file():
        raise click.UsageError(f"{name} takes a file. To send {text}, write {name}=@{text}.")
    return text


def _text(name: str, text: str) -> str:
    """The text itself, or what is in the file after ``@``; ``@@`` begins a text with an at-sign."""
    if not text.startswith("@"):
        return text
    if text.startswith("@@"):
        return text[1:]
    try:
        return sys.stdin.read() if text == "@-" else Path(text[1:]).expanduser().read_text("utf-8")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{name} takes text, but {text[1:]} is not UTF-8 text.") from error
    except OSError as error:
        raise click.UsageError(
            f"{text[1:]} cannot be read: {error.strerror}. (A text that begins with @ is written @@.)"
        ) from error


def _typed(name: str, text: str, shape: dict[str, Any]) -> Any:
    kind = shape.get("type")
    if kind == "string":
        return text
    if text == "null" and shape.get("nullable"):
        return None
    if "anyOf" in shape:
        return _union(name, text, shape)
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return _number(text)
    except ValueError:
        raise click.UsageError(_misfit(name, text, kind)) from None
    if kind == "boolean":
        return _boolean(name, text)
    return _json(name, text, shape)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not math.isfinite(number):
            raise
        return number


def _boolean(name: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise click.UsageError(_misfit(name, text, "boolean"))


def _json(name: str, text: str, shape: dict[str, Any]) -> Any:
    kind = shape.get("type")
    try:
        value = json.loads(text)
    except ValueError:
        if kind is None:
            return text
        raise click.UsageError(_misfit(name, text, kind)) from None
    if kind is not None and not _fits(value, kind):
        raise click.UsageError(_misfit(name, text, kind))
    return value


def _union(name: str, text: str, shape: dict[str, Any]) -> Any:
    """The JSON value where one of the types takes it, else the text where a string may be given."""
    kinds = [member.get("type") for member in shape["anyOf"]]
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if any(kind is None or _fits(value, kind) for kind in kinds):
        return value
    if "string" in kinds:
        return text
    raise click.UsageError(f"{name} wants {' or '.join(_article(kind) for kind in kinds)}, not {text!r}.")


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    wanted: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "object": dict,
        "array": list,
    }
    return kind in wanted and isinstance(value, wanted[kind])


def _misfit(name: str, text: str, kind: str | None) -> str:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return f"{name} wants {_article(kind)}, not {shown!r}."


def _article(kind: str | None) -> str:
    return _ARTICLES.get(kind or "", f"a {kind}")


def _is_file(shape: dict[str, Any]) -> bool:
    return shape.get("type") == "string" and shape.get("format") == "uri"
