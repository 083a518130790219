"""What a server has open and what lies about: looked at when nothing runs, to be compared."""

import os
import re
from collections import Counter
from pathlib import Path

import msgspec

from tests.soak.killing import FORK_SERVER, marked

PROC = Path("/proc")
FOLDERS = ("instances", "given", "tmp", "scratch", "blobs/incoming", "blobs/fresh")
"""Of the data directory: what is in there belongs to what runs at the moment."""
MOST_THREADS = 32
"""With all pools full; they fill as there is work for more at once."""


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """A server at rest. What fork servers take is not in it: they stay, ready for what comes."""

    descriptors: dict[str, int]
    """How many of each kind."""
    threads: int
    instances: int
    """Processes of instances, whoever their parent is."""
    strangers: int
    """Children that are no fork servers, and those that ended and were not collected."""
    files: tuple[str, ...]
    resident_bytes: int


def look(pid: int, data_dir: Path, temp_dir: Path) -> Rest:
    found = marked(data_dir)
    forks = {child for child, mark in found.items() if FORK_SERVER in mark}
    process = PROC / str(pid)
    descriptors = Counter(_kind(entry) for entry in (process / "fd").iterdir())
    descriptors["socket"] -= len(forks)
    return Rest(
        descriptors=dict(descriptors),
        threads=len(list((process / "task").iterdir())),
        instances=len(found.keys() - forks),
        strangers=len(_children(pid) - forks),
        files=tuple(_files(data_dir, temp_dir)),
        resident_bytes=_resident_bytes(process),
    )


def problems(before: Rest, after: Rest, *, most_growth_bytes: int) -> list[str]:
    """What is there afterwards that was not there before, in words."""
    more = {
        kind: (before.descriptors.get(kind, 0), count)
        for kind, count in after.descriptors.items()
        if count > before.descriptors.get(kind, 0)
    }
    grown = after.resident_bytes - before.resident_bytes
    return [
        *(f"{kind}: {now} are open, {then} were" for kind, (then, now) in more.items()),
        *([f"{after.threads} threads run"] if after.threads > max(before.threads, MOST_THREADS) else []),
        *([f"the server has grown by {grown >> 20} MiB"] if grown > most_growth_bytes else []),
        *what_is_left(after),
    ]


def what_is_left(rest: Rest) -> list[str]:
    """What must not be there whenever nothing runs."""
    found = [f"{path} is left" for path in rest.files]
    if rest.instances:
        found.append(f"{rest.instances} processes of instances are left")
    if rest.strangers:
        found.append(f"{rest.strangers} children are left")
    return found


def _kind(entry: Path) -> str:
    """``socket``, ``pipe``, ``anon_inode:[pidfd]``, or the path of a file."""
    try:
        return re.sub(r":\[\d+\]$", "", os.readlink(entry))  # noqa: PTH115  a Path would lose its colon
    except OSError:
        return "gone"


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.add(int(entry.name))
    return found


def _files(data_dir: Path, temp_dir: Path) -> list[str]:
    found: list[Path] = []
    for name in FOLDERS[1:]:
        found += [Path(folder) / file for folder, _, files in os.walk(data_dir / name) for file in files]
    found += [path for path in (data_dir / FOLDERS[0]).glob("*") if not path.name.startswith("fork-")]
    found += list(temp_dir.iterdir())
    return sorted(str(path) for path in found)


def _resident_bytes(process: Path) -> int:
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) * 1024
