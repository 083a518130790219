"""Files out of a tar that anybody may have made, packed or not, read no further than it may be long.

``archive`` asks it. A few packed bytes can stand for years of reading, or for more than the memory that a
process has and shares with everyone's predictions. Nothing is unpacked to disk.
"""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, cast

PACKED: dict[bytes, Callable[..., IO[bytes]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
"""How packed files begin, and what reads them."""
AROUND_FACTOR, AROUND_BYTES = 4, 64 * 1024**2
"""A tar may be so many times larger than the largest of these files, and so much more: for tokenizers."""


def files_in(path: Path, most_bytes: Mapping[str, int]) -> dict[str, bytes]:
    """Those of the named files that there are, wherever in the tar.

    ``ValueError`` where one has more bytes than it may have, or the tar much more than all.
    """
    most = AROUND_FACTOR * max(most_bytes.values()) + AROUND_BYTES
    found: dict[str, bytes] = {}
    with _unpacked(path) as file, tarfile.open(fileobj=cast(Any, _Part(file, most)), mode="r:") as tar:
        for member in tar:
            name = Path(member.name).name
            if name not in most_bytes or not member.isfile():
                continue
            if member.size > most_bytes[name]:
                raise ValueError(f"The adapter is too large: {name} has more than {most_bytes[name]} bytes.")
            found[name] = cast(IO[bytes], tar.extractfile(member)).read()
    return found


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        first = file.read(6)
    opener = next((opener for magic, opener in PACKED.items() if first.startswith(magic)), open)
    return opener(path, "rb")


class _Part:
    """The beginning of a file; what lies behind is not to be read."""

    def __init__(self, file: IO[bytes], most_bytes: int):
        self._file = file
        self._most_bytes = most_bytes
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        return self._reach(self._file.tell() + size, self._file.read, size)

    def seek(self, to: int) -> int:
        return self._reach(to, self._file.seek, to)

    def _reach(self, to: int, call: Callable[[int], Any], number: int) -> Any:
        if to > self._most_bytes:
            raise ValueError(f"The adapter is too large: its tar has more than {self._most_bytes} bytes.")
        try:
            return call(number)
        except OSError as error:
            if error.errno is not None:  # else not the disk says it, but gzip or bz2 of wrong bytes
                raise
            raise tarfile.ReadError(str(error)) from None
