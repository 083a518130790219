"""What ``test_llama_wild_adapters`` asks of models/llama; runs in the lab (see ``lab``)."""

import asyncio
import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path
from typing import Any

import llama_lab
from archive import CONFIG, CONFIG_BYTES, read_adapter
from engine import Engine
from llama_adapters_lab import _alone, _served, write_adapter
from llama_places_lab import refused as refused
from places import Places

PROMPT = [0, *range(20, 60)]
MOST_BYTES = 1000


def neighbours(checkpoint: str, folder: str, *, strength: float, targets: list[str] | None) -> dict[str, Any]:
    """What one without and one with an adapter make beside a wild one, what they make alone, and what is
    said of the wild one.
    """
    wild, good = (str(Path(folder, name)) for name in ("wild.tar", "good.tar"))
    write_adapter(checkpoint, wild, seed=2, strength=strength, targets=targets)
    write_adapter(checkpoint, good, seed=1)

    async def all_at_once(engine: Engine, shelf: Places) -> list[list[int]]:
        loaded = asyncio.Barrier(3)

        async def one(weights: str | None) -> list[int]:
            made: list[int] = []
            async with shelf.use(Path(weights) if weights else None) as adapter:
                await loaded.wait()
                async for tokens in engine.tokens(PROMPT, llama_lab._sampling(), adapter=adapter):
                    made += tokens
            return made

        return await asyncio.gather(one(wild), one(None), one(good), return_exceptions=True)

    wild_one, plain, other = _served(checkpoint, all_at_once)
    most = llama_lab.PLAIN["max_tokens"]
    alone = [_alone(checkpoint, Path(path) if path else None, PROMPT, most) for path in (None, good)]
    return {"together": [plain, other], "alone": alone, "wild": str(wild_one)}


def bombs(folder: str) -> dict[str, str]:
    """What is said of tars that claim to be long; none of what they claim is there, so none can be read."""
    found = {}
    for name, content in {
        "a file before": _header("junk", size=1 << 40),
        "a long name": _header("././@LongLink", size=1 << 40, type=tarfile.GNUTYPE_LONGNAME),
        "a long record": _header("pax", size=1 << 40, type=tarfile.XHDTYPE),
        "a long config": _header(CONFIG, size=CONFIG_BYTES + 1),
    }.items():
        for pack in (bytes, gzip.compress, bz2.compress, lzma.compress):
            path = Path(folder, "bomb")
            path.write_bytes(pack(content))
            found[f"{name}, {pack.__module__}"] = _said(path)
    return found


def packed(checkpoint: str, folder: str) -> list[bool]:
    """Whether an adapter is the same however it is packed, and refused where its end or beginning is gone."""
    plain = Path(folder, "plain.tar")
    write_adapter(checkpoint, str(plain), seed=1)
    wanted, found = read_adapter(plain), []
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        content = pack(plain.read_bytes())
        path = Path(folder, "packed")
        path.write_bytes(content)
        tensors = read_adapter(path).tensors
        found.append(all(bool((tensors[name] == wanted.tensors[name]).all()) for name in wanted.tensors))
        for broken in (content[: len(content) // 2], content[:10] + bytes(99)):
            path.write_bytes(broken)
            said = _said(path, most_bytes=1 << 30)
            found.append(said.startswith("The weights are no adapter of a training, or incomplete: "))
    return found


def _header(name: str, *, size: int, type: bytes = tarfile.REGTYPE) -> bytes:
    """The beginning of a tar whose first member says that it is so long."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, type
    content = io.BytesIO()
    content.write(member.tobuf(tarfile.GNU_FORMAT))
    content.write(bytes(tarfile.RECORDSIZE))
    return content.getvalue()


def _said(path: Path, *, most_bytes: int = MOST_BYTES) -> str:
    try:
        read_adapter(path, most_bytes=most_bytes)
    except ValueError as error:
        return str(error)
    return "nothing"
