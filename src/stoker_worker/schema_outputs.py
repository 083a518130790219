"""The ``Output`` component: what the run method's return annotation says.

Called by ``schema``. Rules: section 5.1 of the Cog contract. Beyond what ``cog build`` accepts we take
generators and iterables (as iterators), Optional and unions, None, dataclasses, Enum, Literal, and the fields
that a model inherits.
"""

from __future__ import annotations

import enum
import inspect
import typing
from typing import Any

from stoker_worker import schema_models, signature
from stoker_worker.errors import ModelError
from stoker_worker.schema_types import has_coder, is_dict, json_value, scalar, title, type_name
from stoker_worker.signature import CONCATENATED, ITERATORS

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def output(annotation: Any) -> dict[str, Any]:
    """The ``Output`` schema of a return annotation; raises ``ModelError`` for what cannot be an output."""
    types = [member for member in signature.members(annotation) if member is not type(None)]
    iterated = _iterator(types[0]) if len(types) == 1 else None
    if iterated is None:
        return {**_value(annotation, ()), "title": "Output"}
    nullable = {"nullable": True} if len(signature.members(annotation)) > 1 else {}
    return {**iterated, **nullable, "title": "Output"}


def is_iterator(schema: dict[str, Any]) -> bool:
    """Whether an ``Output`` schema is of an array that grows while the model runs."""
    return schema.get("x-cog-array-type") == "iterator"


def _iterator(annotation: Any) -> dict[str, Any] | None:
    opaque, plain = signature.is_opaque(annotation), signature.plain_type(annotation)
    origin, args = typing.get_origin(plain) or plain, typing.get_args(plain)
    if origin in CONCATENATED:
        if args and signature.plain_type(args[0]) is not str:
            raise ModelError(f"ConcatenateIterator element type must be str, got {type_name(args[0])}")
        shown = {"x-cog-array-type": "iterator", "x-cog-array-display": "concatenate"}
        return {"type": "array", "items": {"type": "string"}, **shown}
    if origin in ITERATORS:
        items = _value(args[0], ()) if args and not opaque else {"type": "object"}
        return {"type": "array", "items": items, "x-cog-array-type": "iterator"}
    return None


def _value(annotation: Any, within: tuple[Any, ...]) -> dict[str, Any]:
    """The schema of one value; ``within`` are the models that it is part of."""
    members = signature.members(annotation)
    types = [member for member in members if member is not type(None)]
    if not types:
        return {}  # None alone: no type says it
    variants = [_one(member, within) for member in types]
    schema = variants[0] if len(variants) == 1 else {"anyOf": variants}
    return {**schema, "nullable": True} if len(types) < len(members) else schema


def _one(annotation: Any, within: tuple[Any, ...]) -> dict[str, Any]:
    opaque, plain = signature.is_opaque(annotation), signature.plain_type(annotation)
    origin, args = typing.get_origin(plain) or plain, typing.get_args(plain)
    if origin is list:
        items = _value(args[0], within) if args and not opaque else {"type": "object"}
        return {"type": "array", "items": items}
    if opaque or plain is Any:
        return {"type": "object"}
    if origin is typing.Literal:
        return _enumeration(args, plain)
    if inspect.isclass(origin):
        schema = _class(origin, args, within)
        if schema is not None:
            return schema
    if has_coder(plain):
        return {"type": "object"}
    if origin in ITERATORS or origin in CONCATENATED:
        raise ModelError(f"unsupported output type: {type_name(plain)} inside another type")
    raise ModelError(f"unsupported output type: {type_name(plain)}")


def _class(cls: type, args: tuple[Any, ...], within: tuple[Any, ...]) -> dict[str, Any] | None:
    if issubclass(cls, enum.Enum):
        return _enumeration([member.value for member in cls], cls)
    if (known := scalar(cls)) is not None:
        return known
    fields = schema_models.fields(cls)
    if fields is not None:
        return {"type": "object"} if cls in within else _object(cls, fields, within)
    if is_dict(cls):
        values = {"additionalProperties": _value(args[1], within)} if len(args) == 2 else {}
        return {"type": "object", **values}
    return next((scalar(base) for base in (int, float, str) if issubclass(cls, base)), None)


def _object(cls: type, fields: list[schema_models.Field], within: tuple[Any, ...]) -> dict[str, Any]:
    if len(fields) == 1 and fields[0].is_root:
        return _value(fields[0].annotation, (*within, cls))
    properties, required = {}, []
    for field in fields:
        try:
            schema = _value(field.annotation, (*within, cls))
        except ModelError as error:
            raise ModelError(f"field {field.name!r} of {cls.__name__}: {error}") from error
        properties[field.name] = {**schema, "title": title(field.name)}
        if field.required if field.required is not None else not schema.get("nullable"):
            required.append(field.name)
    schema = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


def _enumeration(values: typing.Iterable[Any], annotation: Any) -> dict[str, Any]:
    allowed = [json_value(value, f"a value of {type_name(annotation)}") for value in values]
    kinds = {type(value) for value in allowed}
    named = _JSON_TYPES.get(kinds.pop()) if len(kinds) == 1 else None
    return {"enum": allowed, "type": named} if named else {"enum": allowed}
