"""Checks weights before anybody loads them: headers, sizes, and that an index has all that it names.

Called by ``fetching`` in a thread, on a folder that is to become a checkpoint. The format is eight bytes of
length (little endian), a JSON header with the place of each tensor, and the tensors one after the other. It
reads headers only, so that a hundred gigabytes take milliseconds.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from stoker.core.errors import FetchFailed

_HEADER_LIMIT_BYTES = 100 * 1024 * 1024
"""The limit that the format itself has."""
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
"""Of the types that fill whole bytes; of others only the places are checked."""


class _Tensor(msgspec.Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


class _Index(msgspec.Struct):
    weight_map: dict[str, str]


def check(folder: Path, paths: Iterable[str]) -> None:
    """Raises ``FetchFailed`` for the first file that is not what it says. Blocks."""
    known = set(paths)
    tensors = {path: _tensors(folder, path) for path in sorted(known) if path.endswith(".safetensors")}
    for path in sorted(known):
        if path.endswith(".safetensors.index.json"):
            _check_index(folder, path, tensors)


def _tensors(folder: Path, path: str) -> frozenset[str]:
    """The names of a file's tensors, whose places fill it exactly."""
    try:
        size = (folder / path).stat().st_size
        with (folder / path).open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, _HEADER_LIMIT_BYTES):
                raise FetchFailed(f"{path} is not a safetensors file, or was cut off.")
            header = msgspec.json.decode(file.read(length), type=dict[str, Any])
        header.pop("__metadata__", None)
        found = msgspec.convert(header, dict[str, _Tensor])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise FetchFailed(f"{path} has no header that can be read: it is damaged.") from None
    _check_places(path, found, size - 8 - length)
    return frozenset(found)


def _check_places(path: str, tensors: dict[str, _Tensor], data_bytes: int) -> None:
    at = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        start, end = tensor.data_offsets
        bits = _BITS.get(tensor.dtype)
        if start != at or end < start or (bits and math.prod(tensor.shape) * bits != (end - start) * 8):
            raise FetchFailed(f"{path} is damaged: the tensor {name} is not where its header says.")
        at = end
    if at != data_bytes:
        raise FetchFailed(
            f"{path} has {data_bytes} bytes of weights where its header tells of {at}: it was cut off, or "
            f"is damaged. Fetch it again."
        )


def _check_index(folder: Path, path: str, tensors: dict[str, frozenset[str]]) -> None:
    try:
        index = msgspec.json.decode((folder / path).read_bytes(), type=_Index)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise FetchFailed(f"{path} has no weight_map: it is damaged.") from None
    beside = path.rpartition("/")[0]
    for tensor, name in index.weight_map.items():
        file = f"{beside}/{name}" if beside else name
        if file not in tensors:
            raise FetchFailed(f"{path} names {file}, which is not there: the weights are not complete.")
        if tensor not in tensors[file]:
            raise FetchFailed(f"{path} has the tensor {tensor} in {file}, and it is not there.")
