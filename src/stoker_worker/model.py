"""The loaded model, with what the runners need to know of it. Made by ``main``."""

from __future__ import annotations

import collections.abc
import inspect
import io
import os
import typing
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stoker_worker import loading, signature
from stoker_worker.errors import ModelError
from stoker_worker.inputs import Inputs
from stoker_worker.loading import Loaded
from stoker_worker.sdk import cog

_GROWING = (*signature.ITERATORS, *signature.CONCATENATED)


@dataclass(frozen=True)
class Model:
    loaded: Loaded
    inputs: Inputs
    grows: bool
    """Whether the output is an array that grows while the model runs, by its annotation."""

    @property
    def is_async(self) -> bool:
        return self.loaded.is_async


def load(reference: str, *, mode: str, slots: int) -> Model:
    """Imports and instantiates the model; raises whatever its code raises."""
    loaded = loading.load(reference, mode=mode)
    if slots > 1 and not loaded.is_async:
        raise ModelError("COG_MAX_CONCURRENCY > 1 requires an async run() or predict() method")
    return Model(
        loaded=loaded,
        inputs=Inputs(signature.parameters(loaded.function)),
        grows=_grows(loaded.function),
    )


def begin_setup(model: Model) -> Awaitable[Any] | None:
    """Calls the model's ``setup``, if it has one; what is still to be awaited where that is asynchronous."""
    setup = model.loaded.setup
    if setup is None:
        return None
    result = setup(**_setup_arguments(setup))
    return result if inspect.isawaitable(result) else None


def _setup_arguments(setup: Any) -> dict[str, Any]:
    """What to call ``setup`` with: ``weights`` where it takes them (section 3.4 of the Cog contract).

    They are what COG_WEIGHTS names, else the file or folder ``weights`` beside the model, else None.
    """
    parameter = inspect.signature(setup).parameters.get("weights")
    if parameter is None:
        return {}
    named = os.environ.get("COG_WEIGHTS")
    if not named and not Path("weights").exists():
        return {"weights": None}
    weights = cog.Path(named or "weights")
    kind = _weights_kind(setup)
    if kind == "file":
        return {"weights": weights.open("rb")}
    return {"weights": named if named and kind == "plain" else weights}


def is_many(value: Any) -> bool:
    """Whether a value given for a growing array is its elements rather than its only element."""
    if isinstance(value, io.IOBase):  # a file is an iterator of its lines
        return False
    return isinstance(value, (list, tuple, set, frozenset, collections.abc.Iterator))


def _weights_kind(setup: Any) -> str:
    try:
        hint = typing.get_type_hints(inspect.unwrap(setup)).get("weights")
    except NameError:
        return "plain"
    kinds = {signature.scalar_kind(member) for member in signature.members(hint)}
    return next((kind for kind in ("file", "path") if kind in kinds), "plain")


def _grows(function: Any) -> bool:
    try:
        annotation = signature.plain_type(signature.returns(function))
    except ModelError:
        return False
    return (typing.get_origin(annotation) or annotation) in _GROWING
