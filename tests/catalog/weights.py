"""Small weights in the real format, and waiting for a fetch of them."""

import asyncio
import json
import struct
from pathlib import Path

from stoker.api.services import FetchLog
from stoker.core.checkpoints import Fetch

WITHIN_S = 60.0


def safetensors(tensors: dict[str, list[int]]) -> bytes:
    """The bytes of a safetensors file with these 64 bit integers."""
    at, header, data = 0, {}, b""
    for name, values in tensors.items():
        packed = struct.pack(f"<{len(values)}q", *values)
        header[name] = {"dtype": "I64", "shape": [len(values)], "data_offsets": [at, at + len(packed)]}
        at, data = at + len(packed), data + packed
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def write_safetensors(path: Path, tensors: dict[str, list[int]]) -> Path:
    path.write_bytes(safetensors(tensors))
    return path


def checkpoint(folder: Path, *, factor: int = 3, extra_bytes: int = 0) -> Path:
    """A checkpoint of the model in ``entries/scale``, in a new folder; with more weights where asked for."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "scale"}))
    more = {"more": [7] * (extra_bytes // 8)} if extra_bytes else {}
    write_safetensors(folder / "model.safetensors", {"factor": [factor], **more})
    return folder


async def over(fetch: FetchLog) -> Fetch:
    """The fetch, when it has ended."""
    changed = asyncio.Event()
    fetch.subscribe(changed.set)
    try:
        async with asyncio.timeout(WITHIN_S):
            while not fetch.is_over:
                changed.clear()
                await changed.wait()
    finally:
        fetch.unsubscribe(changed.set)
    return fetch.seen
