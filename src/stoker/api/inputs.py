"""A version's input schema, compiled: does an input fit, and in whose words does it not.

The words are those of section 11 of the HTTP contract (the vocabulary of gojsonschema). Messages never
contain the value, which may be a secret. Used through ``known``; does no I/O.
"""

from collections.abc import Callable
from typing import Any, cast

import jsonschema_rs
import msgspec

from stoker.api.words import type_name
from stoker.core.errors import FieldProblem

Schema = dict[str, Any]

FETCHED = ("http://", "https://", "data:")
"""How a file input begins. Anything else would reach the model as a path of the server's machine."""
NO_URI = "Does not match format 'uri'"


class InputSchema:
    """Made from a version's OpenAPI document: from its ``Input`` or, for trainings, ``TrainingInput``."""

    def __init__(self, openapi: Schema, component: str = "Input"):
        schemas = openapi["components"]["schemas"]
        root: Schema = schemas[component]
        properties: Schema = root.get("properties", {})
        required = set(root.get("required", ()))
        self._optional = frozenset(
            name
            for name, spec in properties.items()
            if spec.get("nullable") or (name not in required and "default" not in spec)
        )
        self.files = frozenset(
            name for name, spec in properties.items() if _leaf(spec).get("format") == "uri"
        )
        self._defaults = {name: properties[name].get("default") for name in self.files}
        self.secrets = frozenset(name for name, spec in properties.items() if _leaf(spec).get("x-cog-secret"))
        self._validator = _compile({**root, "components": {"schemas": schemas}})

    def problems(self, given: dict[str, Any]) -> list[FieldProblem]:
        """What is wrong with the input; empty where it fits.

        An explicit null stands for "not given" where an input may be left out (OpenAPI's ``nullable`` is no
        JSON schema keyword, and Cog publishes ``default=None`` inputs without it).
        """
        if None in given.values():
            given = {k: v for k, v in given.items() if v is not None or k not in self._optional}
        if self._validator.is_valid(given):
            return [problem for name in self.files & given.keys() for problem in self._unfetched(name, given)]
        return _in_words(list(self._validator.iter_errors(given)))

    def _unfetched(self, name: str, given: dict[str, Any]) -> list[FieldProblem]:
        """The texts of a file input that name no file of the caller's; the schema's own default may."""
        value = given[name]
        if value == self._defaults.get(name):
            return []
        items = cast(list[Any], value) if isinstance(value, list) else [value]
        return [
            FieldProblem("format", f"input.{name}" + (f".{n}" if isinstance(value, list) else ""), NO_URI)
            for n, item in enumerate(items)
            if isinstance(item, str) and not item.startswith(FETCHED)
        ]


def _leaf(spec: Schema) -> Schema:
    return spec.get("items", spec) if spec.get("type") == "array" else spec


def _compile(schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """A pattern that only Python's regular expressions know is left to the model's own check."""
    try:
        return jsonschema_rs.Draft202012Validator(schema)
    except ValueError:
        return jsonschema_rs.Draft202012Validator(_without_patterns(schema))


def _without_patterns(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast(Schema, value).items()
        return {k: _without_patterns(v) for k, v in members if k != "pattern" or not isinstance(v, str)}
    if isinstance(value, list):
        return [_without_patterns(item) for item in cast(list[Any], value)]
    return value


def _in_words(found: list[jsonschema_rs.ValidationError]) -> list[FieldProblem]:
    """A value of the wrong type has that one problem only."""
    mistyped = {tuple(error.instance_path) for error in found if error.kind.name == "type"}
    return [
        _problem(error)
        for error in found
        if error.kind.name == "type" or tuple(error.instance_path) not in mistyped
    ]


def _problem(error: jsonschema_rs.ValidationError) -> FieldProblem:
    field = ".".join(["input", *(str(part) for part in error.instance_path)])
    kind, text = _WORDS.get(error.kind.name, _OTHER)
    return FieldProblem(type=kind, field=field, description=text(error.kind.value, error.instance, field))


def _options(value: list[Any]) -> str:
    return ", ".join(msgspec.json.encode(option).decode() for option in value)


Text = Callable[[Any, Any, str], str]


def _limit(text: str) -> Text:
    return lambda value, _instance, _field: text.format(value)


_OTHER: tuple[str, Text] = ("invalid", _limit("Does not match the schema"))
_WORDS: dict[str, tuple[str, Text]] = {
    "required": ("required", _limit("{} is required")),
    "type": (
        "invalid_type",
        lambda value, instance, _: (
            f"Invalid type. Expected: {'/'.join(value)}, given: {type_name(type(instance))}"
        ),
    ),
    "enum": ("enum", lambda value, _, field: f"{field} must be one of the following: {_options(value)}"),
    "minimum": ("number_gte", _limit("Must be greater than or equal to {}")),
    "maximum": ("number_lte", _limit("Must be less than or equal to {}")),
    "exclusiveMinimum": ("number_gt", _limit("Must be greater than {}")),
    "exclusiveMaximum": ("number_lt", _limit("Must be less than {}")),
    "multipleOf": ("multiple_of", _limit("Must be a multiple of {}")),
    "minLength": ("string_gte", _limit("String length must be greater than or equal to {}")),
    "maxLength": ("string_lte", _limit("String length must be less than or equal to {}")),
    "pattern": ("pattern", _limit("Does not match pattern '{}'")),
    "format": ("format", _limit("Does not match format '{}'")),
    "minItems": ("array_min_items", _limit("Array must have at least {} items")),
    "maxItems": ("array_max_items", _limit("Array must have at most {} items")),
    "uniqueItems": ("unique", _limit("array items must be unique")),
    "minProperties": ("array_min_properties", _limit("Must have at least {} properties")),
    "maxProperties": ("array_max_properties", _limit("Must have at most {} properties")),
    "anyOf": ("number_any_of", _limit("Must validate at least one schema (anyOf)")),
    "oneOf": ("number_one_of", _limit("Must validate one and only one schema (oneOf)")),
    "const": ("const", _limit("Does not match the one allowed value")),
    "additionalProperties": (
        "additional_property_not_allowed",
        _limit("Has properties that are not allowed"),
    ),
}
