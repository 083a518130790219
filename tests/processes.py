"""The machine's processes, as tests look at them."""

from collections.abc import Callable, Iterator
from pathlib import Path

PROC = Path("/proc")


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def variables(pid: int) -> list[str]:
    """What the process was started with, as ``NAME=value``; one that has ended has nothing."""
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return []
    return environment.decode(errors="replace").split("\0")


def with_variable(name: str, *, of: Path) -> set[int]:
    """The processes that have the variable, and that folder somewhere in their environment."""

    def is_it(pid: int) -> bool:
        found = variables(pid)
        return any(item.startswith(f"{name}=") for item in found) and str(of) in "\n".join(found)

    return _all(is_it)


def working_in(folder: Path) -> set[int]:
    """The processes whose working directory is the folder or below it."""

    def is_it(pid: int) -> bool:
        try:
            return (PROC / str(pid) / "cwd").readlink().is_relative_to(folder)
        except OSError:
            return False

    return _all(is_it)


def mapping(file: Path) -> dict[int, dict[str, int]]:
    """The processes that have the file mapped into memory, with kilobytes by the kernel's names."""
    node = str(file.stat().st_ino)
    found = {pid: _mapped(pid, node) for pid in _pids()}
    return {pid: sizes for pid, sizes in found.items() if sizes}


def _mapped(pid: int, node: str) -> dict[str, int]:
    """Sums over the mappings of the file; a heading names device, node and path, sizes stand below it."""
    try:
        lines = (PROC / str(pid) / "smaps").read_text().splitlines()
    except OSError:
        return {}
    sizes: dict[str, int] = {}
    inside = False
    for line in lines:
        words = line.split()
        if not words[0].endswith(":"):
            inside = words[4] == node
        elif inside and words[-1] == "kB":
            name = words[0].removesuffix(":")
            sizes[name] = sizes.get(name, 0) + int(words[1])
    return sizes


def _all(is_it: Callable[[int], bool]) -> set[int]:
    return {pid for pid in _pids() if is_it(pid)}


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
