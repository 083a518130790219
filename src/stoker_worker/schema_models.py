"""The fields of a class whose values are JSON objects: Cog's BaseModel, dataclasses, TypedDict, pydantic.

Called by ``schema_outputs``. pydantic is never imported: its classes are known by their shape, both those of
version 2 and those of version 1 (``pydantic.v1`` included).
"""

from __future__ import annotations

import dataclasses
import sys
import typing
from dataclasses import dataclass
from typing import Any

from stoker_worker.errors import ModelError
from stoker_worker.sdk import cog


@dataclass(frozen=True)
class Field:
    name: str
    annotation: Any
    required: bool | None
    """None where that is so unless the value may be None."""
    is_root: bool = False
    """The model is no object: it is this one value (pydantic's RootModel)."""


def fields(cls: type) -> list[Field] | None:
    """The fields of the class, inherited ones included, in order; None where it is no such class."""
    if issubclass(cls, dict) and hasattr(cls, "__total__"):
        return _typed_dict(cls)
    if dataclasses.is_dataclass(cls):
        return _dataclass(cls)
    if cls is cog.BaseModel or _is_pydantic_base(cls):
        raise ModelError(f"{cls.__name__} itself is no output type: make a subclass with fields")
    if hasattr(cls, "model_fields") and hasattr(cls, "model_dump"):
        return _pydantic(cls)
    if hasattr(cls, "__fields__") and hasattr(cls, "parse_obj"):
        return _pydantic_1(cls)
    return None


def _is_pydantic_base(cls: type) -> bool:
    return cls.__module__.split(".")[0] == "pydantic" and cls.__name__ in ("BaseModel", "RootModel")


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except Exception as error:  # it is the model's code: anything may come of it
        raise ModelError(f"the fields of {cls.__name__} cannot be resolved: {error}") from error


def _dataclass(cls: Any) -> list[Field]:
    """A default makes a field optional, a ``default_factory`` does not, as Cog has it."""
    hints = _hints(cls)
    return [
        Field(field.name, hints[field.name], None if field.default is dataclasses.MISSING else False)
        for field in dataclasses.fields(cls)
    ]


def _typed_dict(cls: Any) -> list[Field]:
    required = cls.__required_keys__
    return [_key(name, annotation, name in required) for name, annotation in _hints(cls).items()]


def _key(name: str, annotation: Any, required: bool) -> Field:
    """One key. ``Required`` and ``NotRequired`` are read here: Python misses them in annotations of text."""
    while (said := getattr(getattr(annotation, "__origin__", None), "_name", None)) in _QUALIFIERS:
        required = {"Required": True, "NotRequired": False}.get(said, required)
        annotation = annotation.__args__[0]
    return Field(name, annotation, required)


_QUALIFIERS = ("Required", "NotRequired", "ReadOnly")


def _pydantic(cls: Any) -> list[Field]:
    if not cls.__pydantic_complete__:
        cls.model_rebuild(_types_namespace=vars(sys.modules[cls.__module__]))
    root = bool(getattr(cls, "__pydantic_root_model__", False))
    return [
        Field(
            name=name,
            annotation=_with_notes(field.annotation, field.metadata),
            required=None if field.is_required() or field.default_factory is not None else False,
            is_root=root,
        )
        for name, field in cls.model_fields.items()
        if not field.exclude
    ]


def _with_notes(annotation: Any, notes: list[Any]) -> Any:
    """pydantic keeps the notes of ``Annotated`` beside the type; ``Opaque`` is the one that matters."""
    return typing.Annotated[annotation, cog.Opaque] if cog.Opaque in notes else annotation


def _pydantic_1(cls: Any) -> list[Field]:
    hints = _hints(cls)
    return [
        Field(
            name=name,
            annotation=hints.get(name, field.outer_type_),
            required=None if field.required or field.default_factory is not None else False,
            is_root=name == "__root__",
        )
        for name, field in cls.__fields__.items()
    ]
