"""The JSON input of a run becomes what the model's method is called with. Rules: sections 4.1, 4.5 and 7.4.

The server has validated the values against the version's schema and fetched the files; here they only
change their types. Every input is passed, with its default where it was omitted, so that a decorated method
never sees Cog's ``FieldInfo`` objects.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from stoker_worker.errors import ModelError
from stoker_worker.inbound import Folder, LocalFile
from stoker_worker.sdk import cog
from stoker_worker.signature import Parameter, members, plain_type

Convert = Callable[[Any, Folder], Any]


class Inputs:
    """The inputs of one method."""

    def __init__(self, parameters: list[Parameter]):
        self._inputs = [(parameter, _converter(parameter)) for parameter in parameters]

    def arguments(self, given: dict[str, Any], files: list[dict[str, Any]], folder: Folder) -> dict[str, Any]:
        """The keyword arguments; ``files`` are linked into the run's folder."""
        for file in files:
            _put(given, file["at"], folder.place(file["path"], file["name"], lasting=file["lasting"]))
        return {
            parameter.name: _value(parameter, convert, given, folder) for parameter, convert in self._inputs
        }


def _value(parameter: Parameter, convert: Convert | None, given: dict[str, Any], folder: Folder) -> Any:
    if parameter.name in given:
        value = given[parameter.name]
    elif parameter.has_default:
        value = parameter.default
    elif parameter.optional:
        value = None
    else:
        raise ModelError(f"{parameter.name}: Field required")
    if convert is None or value is None:
        return value
    if parameter.is_list and isinstance(value, (list, tuple)):
        return [item if item is None else convert(item, folder) for item in value]
    return convert(value, folder)


def _converter(parameter: Parameter) -> Convert | None:
    by_kind = {"path": _to_path, "file": _to_file, "secret": _to_secret}
    if parameter.kind in by_kind:
        return by_kind[parameter.kind]
    item = _item_type(parameter)
    if item is int:
        return _to_int
    return _decoder(item) if isinstance(item, type) else None


def _item_type(parameter: Parameter) -> Any:
    """The one type of the value, or of each item of a list; None where there are several."""
    single = [member for member in members(parameter.annotation) if member is not type(None)]
    if len(single) != 1:
        return None
    type_ = plain_type(single[0])
    if parameter.is_list:
        arguments = getattr(type_, "__args__", ())
        type_ = plain_type(arguments[0]) if len(arguments) == 1 else None
    return type_


def _to_path(value: Any, _: Folder) -> Any:
    return cog.Path(value) if isinstance(value, (str, os.PathLike)) else value


def _to_file(value: Any, folder: Folder) -> Any:
    return folder.open(value) if isinstance(value, LocalFile) else value


def _to_secret(value: Any, _: Folder) -> Any:
    return cog.Secret(value) if isinstance(value, str) else value


def _to_int(value: Any, _: Folder) -> Any:
    """JSON's ``5.0`` is an integer to the schema, but a float to Python's ``range``."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _decoder(type_: type) -> Convert | None:
    """For a type of the model's own that it has registered a coder for."""
    from cog.coder import Coder

    coder: Any = Coder.lookup(type_) if Coder._coders else None
    if coder is None:
        return None
    return lambda value, _: coder.decode(value) if isinstance(value, dict) else value


def _put(given: dict[str, Any], at: list[Any], file: LocalFile) -> None:
    target: Any = given
    for step in at[:-1]:
        target = target[step]
    target[at[-1]] = file
