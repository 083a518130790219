"""Reading request bodies: with a limit, as JSON, into types; what does not fit becomes a problem's fields."""

from collections.abc import Iterable
from types import NoneType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import msgspec

from stoker.api.endpoint import Request
from stoker.api.words import type_name
from stoker.core.errors import BadRequest, FieldProblem, InputInvalid, TooLarge

T = TypeVar("T")

DEEPEST = 200

_any = msgspec.json.Decoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


async def read(request: Request, *, limit_bytes: int) -> bytes:
    """The whole body; raises ``TooLarge`` as soon as it is known, without reading on."""
    if request.body_read is not None:
        return request.body_read
    length = request.fields.get("content-length", "")
    if length.isdigit() and int(length) > limit_bytes:
        raise too_large(limit_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise too_large(limit_bytes)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 2 and not chunks[1] else b"".join(chunks)


def too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"The request body is larger than {limit_bytes} bytes.")


async def read_as(request: Request, shape: type[T], *, limit_bytes: int | None = None) -> T:
    """The JSON body as a Struct type."""
    body = await read(request, limit_bytes=limit_bytes or request.services.settings.body_limit_bytes)
    return decode(body, msgspec.json.Decoder(shape), shape)


def decode(body: bytes, decoder: "msgspec.json.Decoder[T]", shape: type[T]) -> T:
    """The body in that shape; raises ``BadRequest`` or ``InputInvalid``."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message = str(error)
    except _UNREADABLE as error:
        raise _unreadable(error) from None
    raise InputInvalid(_problems(json(body), shape, message))


def json(body: bytes | msgspec.Raw) -> Any:
    """Any JSON value; raises ``BadRequest`` where it is none, or nested deeper than anybody means it."""
    try:
        value = _any.decode(body)
    except _UNREADABLE as error:
        raise _unreadable(error) from None
    text = bytes(body)
    if text.count(b"[") + text.count(b"{") > DEEPEST and _is_deeper(value, DEEPEST):
        raise BadRequest(f"The request body is nested deeper than {DEEPEST} levels.")
    return value


def _unreadable(error: Exception) -> BadRequest:
    return BadRequest(f"The request body is not valid JSON: {error}")


def _is_deeper(value: Any, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [item for container in level for item in _members(container)]
    return any(isinstance(item, dict | list) for item in level)


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast(dict[str, Any], value).values()
    return cast(list[Any], value) if isinstance(value, list) else ()


def _problems(given: Any, shape: type[Any], message: str) -> list[FieldProblem]:
    """Which fields do not fit, in the words of section 11; ``message`` is msgspec's, for what they lack."""
    if not isinstance(given, dict):
        text = f"Invalid type. Expected: object, given: {type_name(type(given))}"
        return [FieldProblem("invalid_type", "", text)]
    given = cast(dict[str, Any], given)
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    found = [
        FieldProblem("additional_property_not_allowed", "", f"Additional property {name} is not allowed")
        for name in given
        if name not in fields
    ]
    found += [
        FieldProblem("required", "", f"{name} is required")
        for name, field in fields.items()
        if field.required and name not in given
    ]
    for name, field in fields.items():
        found += _mistyped(name, given, field.type)
    return found or [FieldProblem("invalid_type", "", message)]


def _mistyped(name: str, given: dict[str, Any], kind: Any) -> list[FieldProblem]:
    if name not in given or kind is msgspec.Raw:
        return []
    try:
        msgspec.convert(given[name], kind)
    except msgspec.ValidationError as error:
        if isinstance(given[name], str) and (choices := _choices(kind)):
            return [FieldProblem("enum", name, f"{name} must be one of the following: {choices}")]
        return [FieldProblem("invalid_type", name, _expectation(given[name], kind) or str(error))]
    return []


def _choices(kind: Any) -> str:
    """The texts that a field may be, where it is a choice among texts and nothing else."""
    kinds = [kind] if get_origin(kind) is Literal else [t for t in get_args(kind) if t is not NoneType]
    if not all(get_origin(one) is Literal for one in kinds):
        return ""
    return ", ".join(f'"{text}"' for one in kinds for text in get_args(one))


def _expectation(value: Any, kind: Any) -> str | None:
    """In the contract's words where the type is a plain one."""
    plain = next((t for t in get_args(kind) or (kind,) if t is not NoneType), kind)
    expected, given = type_name(plain), type_name(type(value))
    if expected is None or expected == given:
        return None
    return f"Invalid type. Expected: {expected}, given: {given}"
