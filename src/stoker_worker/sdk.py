"""The Cog SDK, imported quickly and marked: ``from stoker_worker.sdk import cog``.

Every module of this package that needs Cog imports it from here, before any model is loaded.

Quickly: ``cog.types`` imports ``requests`` and ``urllib.request`` for URL files alone, which is most of the
time that ``import cog`` takes. Both are put off until that code runs; a model that imports them gets the
real ones, by an ordinary import.

Marked: two things that a model says cannot be read off the loaded objects, so they are noted when said:
``Input()`` and ``Input(default=None)`` give equal fields (``default_given`` tells them apart), and
``@streaming`` gives back its function (``is_streaming`` tells).
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

_GIVEN = "_stoker_default_given"
_STREAMING = "__stoker_streaming__"


def default_given(field: Any) -> bool:
    """Whether ``Input(...)`` was called with a default; ``...`` counts as none, as it did in old Cog.

    A field that did not come from ``Input`` has a default where that is not None.
    """
    return getattr(field, _GIVEN, field.default is not None and field.default is not ...)


def is_streaming(function: Callable[..., Any]) -> bool:
    """Whether the function, or one that it wraps, was marked with ``@cog.streaming``."""
    return any(getattr(layer, _STREAMING, False) for layer in layers(function))


def layers(function: Any) -> Iterator[Any]:
    """The function and all that it wraps (``functools.wraps``), outermost first."""
    seen = set()
    while function is not None and id(function) not in seen:
        seen.add(id(function))
        yield function
        function = getattr(function, "__wrapped__", None)


class _Late(types.ModuleType):
    """Stands for a module in ``cog.types`` until the first use of it, which imports the real one there."""

    def __init__(self, name: str, *submodules: str):
        super().__init__(name)
        self.__dict__["_submodules"] = submodules

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        module = importlib.import_module(self.__name__)
        for submodule in self.__dict__["_submodules"]:
            importlib.import_module(f"{self.__name__}.{submodule}")
        setattr(sys.modules["cog.types"], self.__name__, module)
        return getattr(module, attribute)


_PUT_OFF = {"requests": _Late("requests"), "urllib.request": _Late("urllib", "parse", "request")}
"""What ``cog.types`` imports and seldom uses, with what stands for it under the first part of the name."""


@contextlib.contextmanager
def _hidden(names: list[str]) -> Iterator[None]:
    """Imports of these modules find an empty one; afterwards they are as if never imported."""
    sys.modules.update({name: types.ModuleType(name) for name in names})
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


@contextlib.contextmanager
def _without_model_folder() -> Iterator[None]:
    """A file of the model named like a standard module, or like ``cog``, is not what the SDK imports."""
    path = list(sys.path)
    sys.path[:] = [entry for entry in path if entry != ""]
    try:
        yield
    finally:
        sys.path[:] = path


def _import_quickly() -> types.ModuleType:
    if "cog" in sys.modules:
        return sys.modules["cog"]
    absent = [name for name in _PUT_OFF if name not in sys.modules]
    with _without_model_folder(), _hidden(absent):
        module = importlib.import_module("cog")
    for name in absent:
        setattr(sys.modules["cog.types"], name.partition(".")[0], _PUT_OFF[name])
    return module


def _mark_inputs(module: types.ModuleType) -> None:
    plain = module.Input

    @functools.wraps(plain)
    def marked(*args: Any, **kwargs: Any) -> Any:
        field = plain(*args, **kwargs)
        given = (bool(args) or "default" in kwargs) and field.default is not ...
        object.__setattr__(field, _GIVEN, given)
        return field

    module.Input = sys.modules["cog.input"].Input = marked  # type: ignore[attr-defined]


def _mark_streaming(module: types.ModuleType) -> None:
    plain = module.streaming

    @functools.wraps(plain)
    def marked(fn: Callable[..., Any] | None = None) -> Any:
        if fn is None:
            return marked
        setattr(fn, _STREAMING, True)
        return plain(fn)

    module.streaming = marked  # type: ignore[attr-defined]


def prepare() -> Any:
    """The ``cog`` module; imported and marked on the first call."""
    module = _import_quickly()
    if not hasattr(module.Input, "__wrapped__"):
        _mark_inputs(module)
        _mark_streaming(module)
    return module


cog: Any = prepare()
