"""The inputs of a model: what its run method takes, read from the live function.

Called by the schema generator and by the worker, which converts values by ``kind``. Fails loudly where an
annotation cannot be resolved; never guesses. Rules: sections 3.3 and 4 of the Cog contract.
"""

from __future__ import annotations

import builtins
import collections.abc
import inspect
import io
import os
import pathlib
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stoker_worker import sdk
from stoker_worker.errors import ModelError
from stoker_worker.sdk import cog

ITERATORS = (
    collections.abc.Iterator,
    collections.abc.AsyncIterator,
    collections.abc.Iterable,
    collections.abc.AsyncIterable,
    collections.abc.Generator,
    collections.abc.AsyncGenerator,
)
"""What a method's return annotation says of an output that grows while the model runs,"""
CONCATENATED = (cog.ConcatenateIterator, cog.AsyncConcatenateIterator)
"""and of one whose elements are pieces of one text."""

_IGNORED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Parameter:
    """One input. Omitted, it gets ``default`` where there is one, else None where it is ``optional``."""

    name: str
    annotation: Any
    """The resolved type, ``Annotated`` and ``Optional`` still in it."""
    kind: typing.Literal["plain", "path", "file", "secret"]
    """What the value, or each item of it, is turned into."""
    is_list: bool
    optional: bool
    """None is among the values that the annotation allows."""
    has_default: bool
    default: Any
    """As written; what ``Input`` was given, never the field itself."""
    field: Any
    """Cog's ``FieldInfo``, or None where the parameter has no ``Input(...)``."""
    explicit_none: bool
    """The default was written, and is None."""


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    """The inputs of a function or bound method, in order; ``self``, ``*args`` and ``**kwargs`` are left out.

    Raises ``ModelError`` for an input that has no usable annotation or cannot be given by keyword.
    """
    function, scope = _unwrapped(function), _class_names(function)
    return [
        _parameter(function, parameter, scope)
        for parameter in _written(function)
        if parameter.kind not in _IGNORED
    ]


def returns(function: Callable[..., Any]) -> Any:
    """The resolved return annotation."""
    function, scope = _unwrapped(function), _class_names(function)
    if "return" not in function.__annotations__:
        raise ModelError(f"{function.__name__}() must have a return type annotation")
    return _resolve(function, "return", scope)


def check_setup(setup: Callable[..., Any]) -> None:
    """Raises ``ModelError`` where calling ``setup`` with ``weights`` at most would fail."""
    unexpected = [
        parameter.name
        for parameter in _written(setup)
        if parameter.name != "weights"
        and parameter.kind not in _IGNORED
        and parameter.default is inspect.Parameter.empty
    ]
    if unexpected:
        raise ModelError(f"unexpected setup() arguments: {', '.join(unexpected)}")


def plain_type(annotation: Any) -> Any:
    """The type without ``Annotated`` and without names for it (``NewType``, ``type X = ...``)."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = annotation.__origin__
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def is_opaque(annotation: Any) -> bool:
    """Whether it is ``Annotated[..., cog.Opaque]``."""
    if typing.get_origin(annotation) is not typing.Annotated:
        return False
    return any(note is cog.Opaque for note in annotation.__metadata__)


def members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, nested ones flattened; the annotation alone where it is none."""
    opaque, plain = is_opaque(annotation), plain_type(annotation)
    if typing.get_origin(plain) not in (typing.Union, types.UnionType):
        return (annotation if opaque else plain,)
    flat = tuple(inner for member in typing.get_args(plain) for inner in members(member))
    if not opaque:
        return flat
    return tuple(m if m is type(None) else typing.Annotated[m, cog.Opaque] for m in flat)


def scalar_kind(annotation: Any) -> typing.Literal["plain", "path", "file", "secret"]:
    """What kind of value one item of this type is."""
    annotation = plain_type(annotation)
    annotation = typing.get_origin(annotation) or annotation
    if not inspect.isclass(annotation):
        return "plain"
    if issubclass(annotation, pathlib.PurePath) or annotation is os.PathLike:
        return "path"
    if issubclass(annotation, io.IOBase):
        return "file"
    return "secret" if issubclass(annotation, cog.Secret) else "plain"


def _parameter(function: Any, written: inspect.Parameter, scope: dict[str, Any]) -> Parameter:
    name = written.name
    if written.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise ModelError(f"{function.__name__}() must not have positional-only inputs: {name}")
    if written.annotation is inspect.Parameter.empty:
        raise ModelError(f"missing type annotation for input: {name}")
    annotation = _resolve(function, name, scope)
    field = written.default if isinstance(written.default, cog.FieldInfo) else None
    has_default, default = _default(written.default, field)
    choices = members(annotation)
    optional = type(None) in choices
    single = [choice for choice in choices if choice is not type(None)]
    kind, is_list = _kind(single[0]) if len(single) == 1 else ("plain", False)
    return Parameter(
        name=name,
        annotation=annotation,
        kind=kind,
        is_list=is_list,
        optional=optional,
        has_default=has_default,
        default=default,
        field=field,
        explicit_none=has_default and default is None,
    )


def _kind(annotation: Any) -> tuple[Any, bool]:
    if is_opaque(annotation):
        inner = plain_type(annotation)
        return "plain", (typing.get_origin(inner) or inner) is list
    if annotation is list:
        return "plain", True
    if typing.get_origin(annotation) is list:
        args = typing.get_args(annotation)
        return (scalar_kind(args[0]) if args else "plain"), True
    return scalar_kind(annotation), False


def _default(written: Any, field: Any) -> tuple[bool, Any]:
    if field is not None:
        return (True, field.default) if sdk.default_given(field) else (False, None)
    if written is inspect.Parameter.empty or written is ...:
        return False, None
    return True, written


def _written(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except ValueError as error:  # a bound method without a first argument
        raise ModelError(f"{function.__name__}() must have 'self' as first argument") from error
    for index, parameter in enumerate(signature.parameters.values()):
        if index == 0 and parameter.name == "self":
            continue
        yield parameter


def _unwrapped(function: Any) -> Any:
    if inspect.ismethod(function):
        return types.MethodType(inspect.unwrap(function.__func__), function.__self__)
    return inspect.unwrap(function)


def _class_names(function: Any) -> dict[str, Any]:
    """Names that only a method's class knows; annotations that are text may speak of them."""
    owner = getattr(function, "__self__", None)
    if owner is None:
        return {}
    cls = owner if inspect.isclass(owner) else type(owner)
    names: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        names.update(vars(base))
    known = {**vars(builtins), **function.__globals__}
    return {name: value for name, value in names.items() if name not in known}


def _resolve(function: Any, name: str, scope: dict[str, Any]) -> Any:
    """The annotation of that name, with names looked up where the function was written.

    ``get_type_hints`` gets an object without defaults, because Python 3.10 makes ``x: str = None`` Optional.
    """
    written = types.SimpleNamespace(__annotations__={name: function.__annotations__[name]})
    try:
        hints = typing.get_type_hints(written, function.__globals__, scope, include_extras=True)
    except Exception as error:  # it is the model's code: anything may come of it
        what = "the return type" if name == "return" else f"input {name}"
        raise ModelError(f"the annotation of {what} cannot be resolved: {error}") from error
    return hints[name]
