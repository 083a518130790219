"""From a reference (``path/to/file.py:Name``) to something that can be called.

Called by ``stoker_worker.main`` and ``stoker_worker.describe``, in the model's folder. Imports the model, and
so runs its top-level code; never calls what it found. Rules and messages: section 3 of the Cog contract.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stoker_worker import sdk
from stoker_worker.errors import ModelError
from stoker_worker.sdk import cog


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to be set up. Without an instance (``make=False``) it can only be described."""

    name: str
    """Of the class or function."""
    target: Callable[..., Any]
    """What to call with the inputs, by keyword only."""
    instance: Any
    """The object whose method the target is; None for a function."""
    setup: Callable[..., Any] | None
    """None where there is none, or only the empty one of Cog's base class."""
    healthcheck: Callable[..., Any] | None
    streaming: bool
    """Marked with ``@cog.streaming``."""
    concurrent_max: int | None
    """What ``@cog.concurrent`` said."""
    function: Callable[..., Any]
    """The target without its decorators, for ``signature``; a method is bound, so it shows no ``self``."""
    warnings: tuple[str, ...] = ()

    @property
    def is_async(self) -> bool:
        """Whether the target is ``async def``, seen through its decorators."""
        return any(
            inspect.iscoroutinefunction(layer) or inspect.isasyncgenfunction(layer)
            for layer in (*sdk.layers(self.target), self.function)
        )


def prepare_sdk() -> None:
    """Makes sure that Cog's SDK is imported and marked; importing this module has done it."""
    sdk.prepare()


def load(reference: str, *, mode: str = "predict", make: bool = True) -> Loaded:
    """The model that the reference names; its class is instantiated unless ``make`` is false.

    ``mode`` is ``predict`` or ``train``; a class is trained by its ``train`` method where it has one. Raises
    ``ModelError`` for a reference that leads nowhere, and whatever the model's own code raises.
    """
    file, _, name = reference.partition(":")
    module = _import(Path(file))
    warnings: list[str] = []
    name = name or _guess(module, warnings)
    found = getattr(module, name, None)
    if found is None:
        raise ModelError(f"{file} has no {name} at its top level")
    if inspect.isfunction(found):
        return _of_function(name, found, warnings)
    return _of_class(name, found, mode, make, warnings)


def _import(path: Path) -> types.ModuleType:
    """Imports the file under its base name, as Cog does; a file that was imported so already is kept."""
    name = path.name.removesuffix(".py")
    known = sys.modules.get(name)
    location = getattr(known, "__file__", None)
    if known is not None and location and Path(location).resolve() == path.resolve():
        return known
    if not path.is_file():
        raise ModelError(f"{path} does not exist")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs, so that pickle and the module itself find it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        raise
    return module


def _guess(module: types.ModuleType, warnings: list[str]) -> str:
    """The name that is meant by a reference that names only a file (section 3.5)."""
    runner = getattr(module, "Runner", None)
    predictor = getattr(module, "Predictor", None)
    usable = _problem(runner, "Runner") is None if inspect.isclass(runner) else callable(runner)
    if usable:
        if predictor is not None:
            warnings.append("both Runner and Predictor are defined; using Runner")
        return "Runner"
    if predictor is not None:
        warnings.append("Predictor is deprecated; use Runner instead")
        return "Predictor"
    if inspect.isclass(runner):
        raise ModelError(_problem(runner, "Runner"))
    raise ModelError(f"module {module.__name__!r} has no Runner or Predictor")


def _of_function(name: str, function: Callable[..., Any], warnings: list[str]) -> Loaded:
    inner = _inspectable(function, name)
    return Loaded(
        name=name,
        target=function,
        instance=None,
        setup=None,
        healthcheck=None,
        streaming=_marked(function, inner),
        concurrent_max=_concurrent_max(function, inner),
        function=inner,
        warnings=tuple(warnings),
    )


def _of_class(name: str, found: Any, mode: str, make: bool, warnings: list[str]) -> Loaded:
    """From a class, or from an object that the model's module has made itself."""
    cls = found if inspect.isclass(found) else type(found)
    method = _method(cls, name, mode, warnings)
    instance = found() if make and found is cls else found
    if not make and found is cls:
        _check_makeable(cls, name)
        instance = None
    target = getattr(cls if instance is None else instance, method)
    inner = _inspectable_method(cls, method)
    setup = _optional(cls, instance, "setup")
    if getattr(setup, "__func__", setup) is cog.BaseRunner.setup:
        setup = None
    return Loaded(
        name=name,
        target=target,
        instance=instance,
        setup=setup,
        healthcheck=_optional(cls, instance, "healthcheck"),
        streaming=_marked(target, inner),
        concurrent_max=_concurrent_max(target, inner),
        function=inner,
        warnings=tuple(warnings),
    )


def _check_makeable(cls: type, name: str) -> None:
    """Finds what would make ``cls()`` fail, without running the model's ``__init__``."""
    if inspect.isabstract(cls):
        raise ModelError(f"{name} is abstract and cannot be instantiated")
    try:
        inspect.signature(cls).bind()
    except TypeError as error:
        raise ModelError(f"{name} must be instantiable without arguments: {error}") from error
    except ValueError:  # a class whose constructor is written in C has no signature to look at
        return


def _method(cls: type, name: str, mode: str, warnings: list[str]) -> str:
    """The name of the method to run."""
    if mode == "train" and _defines(cls, "train"):
        return "train"
    problem = _problem(cls, name)
    if problem is not None:
        raise ModelError(problem)
    if any(base is cog.BasePredictor for base in cls.__mro__[1:]):
        warnings.append("BasePredictor is deprecated; use BaseRunner instead")
    if _defines(cls, "run"):
        return "run"
    warnings.append(f"{name}.predict() is deprecated; use run() instead")
    return "predict"


def _problem(cls: type, name: str) -> str | None:
    runs, predicts = _defines(cls, "run"), _defines(cls, "predict")
    if runs and predicts:
        return f"{name} must define either run() or predict(), not both"
    if not runs and not predicts:
        return f"run or predict method not found: {name}"
    return None


def _defines(cls: type, method: str) -> bool:
    """Whether the model's own classes define it: those before Cog's base class in the resolution order."""
    for owner in cls.__mro__:
        if owner in (cog.BaseRunner, cog.BasePredictor, object):
            return False
        value = vars(owner).get(method)
        if callable(getattr(value, "__func__", value)):
            return True
    return False


def _optional(cls: type, instance: Any, name: str) -> Callable[..., Any] | None:
    if instance is not None:
        return getattr(instance, name, None)
    return _inspectable_method(cls, name) if hasattr(cls, name) else None


def _marked(*functions: Callable[..., Any]) -> bool:
    """Whether one of them, the decorated or the inner one, is marked with ``@streaming``."""
    return any(sdk.is_streaming(function) for function in functions)


def _concurrent_max(*functions: Callable[..., Any]) -> int | None:
    for layer in (layer for function in functions for layer in sdk.layers(function)):
        value = getattr(layer, "__cog_concurrent_max__", None)
        if value is not None:
            return value
    return None


def _inspectable_method(cls: type, name: str) -> Callable[..., Any]:
    """The method without decorators, bound to its class where calling it would bind it."""
    value = inspect.getattr_static(cls, name)
    if isinstance(value, (staticmethod, classmethod)):
        function = _inspectable(value.__func__, name)
        return types.MethodType(function, cls) if isinstance(value, classmethod) else function
    return types.MethodType(_inspectable(value, name), cls)


def _inspectable(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function as it was written.

    Sees through decorators that use ``functools.wraps``, and through those that take ``*args, **kwargs`` and
    keep the function in their closure: Cog's schema is that of the source, whatever decorates it.
    """
    inner = inspect.unwrap(function)
    while _takes_anything(inner):
        kept = [_content(cell) for cell in inner.__closure__ or ()]
        named = [value for value in kept if inspect.isfunction(value) and value.__name__ == name]
        if len(named) != 1:
            break
        inner = inspect.unwrap(named[0])
    return inner


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _takes_anything(function: Any) -> bool:
    if not inspect.isfunction(function):
        return False
    kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    return kinds[-2:] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]
