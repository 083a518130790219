"""The ``Input`` component: one property for each parameter of the run method.

Called by ``schema``. Rules: section 4 of the Cog contract. Two choices are ours: a parameter of a type
without None whose default is None is optional (not required, no ``default`` key), and choices of a list
constrain its items.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stoker_worker import signature
from stoker_worker.errors import ModelError
from stoker_worker.schema_types import has_coder, is_dict, json_value, scalar, title, type_name
from stoker_worker.signature import Parameter

_CHOOSABLE = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


@dataclass
class Inputs:
    """The properties of an ``Input`` component and what they need beside it."""

    properties: dict[str, dict[str, Any]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    choices: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Components named like the parameters that have choices."""
    warnings: list[str] = field(default_factory=list)

    def component(self, name: str) -> dict[str, Any]:
        schema: dict[str, Any] = {"properties": self.properties, "title": name, "type": "object"}
        return {**schema, "required": self.required} if self.required else schema


def inputs(parameters: list[Parameter], *, taken: Mapping[str, dict[str, Any]] | None = None) -> Inputs:
    """The schema of the inputs; raises ``ModelError`` for what cannot be an input.

    ``taken`` are components that exist already: choices that differ from one of the same name get another.
    """
    result = Inputs()
    for order, parameter in enumerate(parameters):
        schema, options = _property(parameter)
        if options is not None:
            component = parameter.name
            if (taken or {}).get(component, options) != options:
                component = f"{component}_training"
            result.choices[component] = options
            schema |= _chosen(schema.pop("type"), f"#/components/schemas/{component}")
        result.properties[parameter.name] = {**schema, "x-order": order}
        result.warnings += _default_warnings(parameter, schema, options)
        unions = "anyOf" in schema
        if not parameter.has_default and (not parameter.optional or unions):
            result.required.append(parameter.name)
    return result


def _property(parameter: Parameter) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The property, and the component that lists its choices where it has some."""
    types = [member for member in signature.members(parameter.annotation) if member is not type(None)]
    try:
        variants = [_type(member, union=len(types) > 1) for member in types]
    except ModelError as error:
        raise ModelError(f"{error} (input {parameter.name})") from error
    if not variants:
        raise ModelError(f"unsupported type: None (input {parameter.name})")
    schema = variants[0] if len(variants) == 1 else _union(variants, parameter)
    constraints = dict(_constraints(parameter, schema))
    default = _default(parameter, schema)
    options = _choices(parameter, schema)
    if options is None:
        return {**schema, "title": title(parameter.name), **default, **constraints}, None
    return {"type": schema["type"], **default, **constraints}, options


def _type(annotation: Any, *, union: bool = False, item: bool = False) -> dict[str, Any]:
    opaque, plain = signature.is_opaque(annotation), signature.plain_type(annotation)
    origin = typing.get_origin(plain) or plain
    if origin is list:
        if item:
            raise ModelError("unsupported type: nested generics like List[Optional[X]] are not supported")
        return {"type": "array", "items": {"type": "object"} if opaque else _item(plain)}
    if opaque or plain is Any or is_dict(origin):
        return {"type": "object"}
    known = scalar(plain)
    if known is None:
        if not has_coder(plain):
            raise ModelError(f"unsupported type: {type_name(plain)}")
        return {"type": "object"}
    if union and signature.scalar_kind(plain) != "plain":
        raise ModelError(f"unsupported type: {type_name(plain)} is not supported in union inputs")
    return known


def _item(annotation: Any) -> dict[str, Any]:
    """The items of a list; of a bare one anything."""
    args = typing.get_args(annotation)
    if not args:
        return {}
    if len(signature.members(args[0])) > 1:
        raise ModelError("unsupported type: nested generics like List[Optional[X]] are not supported")
    return _type(args[0], item=True)


def _union(variants: list[dict[str, Any]], parameter: Parameter) -> dict[str, Any]:
    """Of several types; None among them marks each, as Cog has it."""
    written = parameter.field
    limits = ("ge", "le", "min_length", "max_length", "regex", "choices")
    if written is not None and any(getattr(written, name) is not None for name in limits):
        raise ModelError(
            "unsupported type: constraints and choices are not supported on union inputs "
            f"(input {parameter.name})"
        )
    mark = {"nullable": True} if parameter.optional else {}
    return {"anyOf": [{**variant, **mark} for variant in variants]}


def _choices(parameter: Parameter, schema: dict[str, Any]) -> dict[str, Any] | None:
    """The component that lists the choices; None where there are none."""
    if parameter.field is None or parameter.field.choices is None:
        return None
    name = parameter.name
    kind = schema.get("items", schema).get("type")
    if kind not in _CHOOSABLE or "format" in schema.get("items", schema):
        raise ModelError(f"choices need an input of str, int, float or bool (input {name})")
    values = json_value(list(parameter.field.choices), f"a choice of input {name}")
    if not values:
        raise ModelError(f"the choices of input {name} are empty")
    for value in values:
        if not isinstance(value, _CHOOSABLE[kind]) or isinstance(value, bool) != (kind == "boolean"):
            raise ModelError(f"choice {value!r} of input {name} is not of type {kind}")
    return {"title": name, "description": "An enumeration.", "enum": values, "type": kind}


def _chosen(kind: str, reference: str) -> dict[str, Any]:
    if kind == "array":
        return {"type": "array", "items": {"$ref": reference}}
    return {"allOf": [{"$ref": reference}]}


def _default(parameter: Parameter, schema: dict[str, Any]) -> dict[str, Any]:
    """``default`` and ``nullable``; a secret's default is never published, unless it is None."""
    none_secret = parameter.kind == "secret" and parameter.explicit_none and not parameter.is_list
    keys: dict[str, Any] = {"nullable": True} if parameter.optional or none_secret else {}
    if not parameter.has_default or (parameter.explicit_none and not keys):
        return keys
    if parameter.kind == "secret" and not parameter.explicit_none:
        return keys
    value = json_value(parameter.default, f"the default of input {parameter.name}")
    if schema.get("type") == "boolean" and value in (0, 1):
        value = bool(value)
    return {**keys, "default": value}


def _constraints(parameter: Parameter, schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The remaining keys of ``Input(...)``, each checked against the type that it is on."""
    written, name = parameter.field, parameter.name
    if written is None:
        return
    kind = schema.get("items", schema)
    if written.description is not None:
        yield "description", str(written.description)
    for key, value in (("minimum", written.ge), ("maximum", written.le)):
        if value is not None:
            _need(kind.get("type") in ("integer", "number"), "ge and le need an input of int or float", name)
            yield key, _bound(value, name)
    texts = {"minLength": written.min_length, "maxLength": written.max_length, "pattern": written.regex}
    for key, value in texts.items():
        if value is not None:
            is_text = kind.get("type") == "string" and "format" not in kind
            _need(is_text, "min_length, max_length and regex need an input of str", name)
            yield key, _pattern(value, name) if key == "pattern" else _length(value, name)
    if written.deprecated:
        yield "deprecated", True
    if written.accept is not None:
        if parameter.kind not in ("path", "file"):
            raise ModelError(f"accept is only valid on Path or File inputs (parameter {name!r})")
        yield "x-cog-accept", str(written.accept)


def _need(holds: bool, sentence: str, name: str) -> None:
    if not holds:
        raise ModelError(f"{sentence} (input {name})")


def _bound(value: Any, name: str) -> Any:
    value = json_value(value, f"a limit of input {name}")
    _need(isinstance(value, (int, float)) and not isinstance(value, bool), "ge and le must be numbers", name)
    return int(value) if value == int(value) else value


def _length(value: Any, name: str) -> int:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    _need(fits, "min_length and max_length must be whole numbers from 0 on", name)
    return value


def _pattern(value: Any, name: str) -> str:
    _need(isinstance(value, str), "regex must be a string", name)
    try:
        re.compile(value)
    except re.error as error:
        raise ModelError(f"regex {value!r} is not a regular expression: {error} (input {name})") from error
    return value


def _default_warnings(
    parameter: Parameter, schema: dict[str, Any], choices: dict[str, Any] | None
) -> Iterator[str]:
    """A default that the input's own limits forbid is served all the same, and told."""
    if "default" not in schema or schema["default"] is None:
        return
    values = schema["default"] if isinstance(schema["default"], list) else [schema["default"]]
    for value in values:
        for broken in _broken(value, schema, choices):
            yield f"the default of input {parameter.name}, {value!r}, {broken}"


def _broken(value: Any, schema: dict[str, Any], choices: dict[str, Any] | None) -> Iterator[str]:
    if choices is not None and value not in choices["enum"]:
        yield "is not one of its choices"
    if isinstance(value, (int, float)):
        if value < schema.get("minimum", value):
            yield "is less than its minimum"
        if value > schema.get("maximum", value):
            yield "is greater than its maximum"
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield "is shorter than its min_length"
        if len(value) > schema.get("maxLength", len(value)):
            yield "is longer than its max_length"
        if re.search(schema.get("pattern", ""), value) is None:
            yield "does not match its regex"
