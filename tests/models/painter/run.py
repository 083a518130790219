"""Words in, pictures out: small PNG files of the size and number that was asked for."""

import struct
import tempfile
import zlib
from pathlib import Path as LocalPath
from typing import List

from cog import BaseRunner, Input, Path


class Runner(BaseRunner):
    def run(
        self,
        prompt: str = "An astronaut",
        width: int = Input(default=8, ge=1, le=64),
        height: int = Input(default=8, ge=1, le=64),
        num_outputs: int = Input(default=1, ge=1, le=4),
        seed: int = 0,
    ) -> List[Path]:
        folder = LocalPath(tempfile.mkdtemp())
        pictures = []
        for number in range(num_outputs):
            picture = folder / f"out-{number}.png"
            picture.write_bytes(png(width, height, shade=(len(prompt) + seed + number) % 256))
            pictures.append(Path(picture))
        return pictures


def png(width: int, height: int, shade: int) -> bytes:
    rows = (b"\0" + bytes([shade]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
