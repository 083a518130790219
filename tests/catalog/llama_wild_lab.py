"""What ``test_llama_wild_adapters`` asks of models/llama; runs in the lab (see ``lab``)."""

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

from archive import CONFIG, CONFIG_BYTES, read_adapter
from llama_adapters_lab import write_adapter
from llama_places_lab import refused  # noqa: F401

MOST_BYTES = 1000


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
