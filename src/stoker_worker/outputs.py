"""What a model gives becomes JSON, with its files set aside. Rules: section 5.2 of the Cog contract.

The value decides, not the annotation. Where Cog's server fails or loses something that has an obvious meaning
(dates, UUIDs, text files, nested files), it is given that meaning; what has none is an error that says so.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import io
import json
import math
import os
import uuid
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from stoker_worker.errors import ModelError
from stoker_worker.outbox import Source
from stoker_worker.sdk import cog

_MASK = "**********"


@dataclass(frozen=True)
class Encoded:
    text: bytes
    """JSON; null stands where a file is."""
    sources: list[Source]


def encode(value: Any) -> Encoded:
    """The JSON of an output or item, and the files in it (not copied yet)."""
    if type(value) is str:  # a token: by far the most frequent output
        return Encoded(_utf8(encode_basestring(value)), [])
    sources: list[Source] = []
    plain = _plain(value, [], sources)
    return Encoded(_utf8(json.dumps(plain, separators=(",", ":"), ensure_ascii=False)), sources)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ModelError("the output has text that is not valid Unicode (a lone surrogate)") from error


def _plain(value: Any, at: list[Any], sources: list[Source]) -> Any:
    """The value in JSON's own types."""
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, enum.Enum):
        return _plain(value.value, at, sources)
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (os.PathLike, io.IOBase)):
        sources.append(Source(at, value))
        return None
    if isinstance(value, collections.abc.Mapping):
        return {_key(key): _plain(item, [*at, _key(key)], sources) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, [*at, index], sources) for index, item in enumerate(value)]
    return _object(value, at, sources)


def _object(value: Any, at: list[Any], sources: list[Source]) -> Any:
    if isinstance(value, cog.Secret):
        return _MASK
    coder = _coder(type(value))
    if coder is not None:
        return _plain(coder.encode(value), at, sources)
    if not isinstance(value, type):
        for method in ("model_dump", "dict"):  # pydantic 2, pydantic 1
            if callable(getattr(value, method, None)):
                return _plain(getattr(value, method)(), at, sources)
        if dataclasses.is_dataclass(value):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return _plain(fields, at, sources)
        if callable(getattr(value, "tolist", None)):  # numpy's arrays and scalars, and all that follow them
            return _plain(value.tolist(), at, sources)
    return _scalar(value, at, sources)


def _scalar(value: Any, at: list[Any], sources: list[Source]) -> Any:
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else _number(float(value))
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (collections.abc.Set, collections.abc.Iterator, collections.abc.Sequence)) and not (
        isinstance(value, (bytes, bytearray, memoryview))
    ):
        return _plain(list(value), at, sources)
    hint = "; return a Path or a BytesIO" if isinstance(value, (bytes, bytearray, memoryview)) else ""
    raise ModelError(f"the output has a value of type {type(value).__name__}, which JSON cannot hold{hint}")


def _number(value: float) -> float:
    if not math.isfinite(value):
        raise ModelError(f"the output has the number {float(value)}, which JSON cannot hold")
    return float(value)


def _key(key: Any) -> str:
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    return str(key)


def _coder(type_: type) -> Any:
    """The coder that the model has registered for this type, if any."""
    from cog.coder import Coder

    return Coder.lookup(type_) if Coder._coders else None
