"""Imports what models will import, and says why a process that has done so must not be forked.

Called by ``fork_server`` before its first fork. A thread does not survive a fork, what it held stays locked;
a GPU's driver does not work in a fork; what an import has opened would be shared by all models.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path, PurePath
from typing import Any

Places = list[tuple[str, str]]
"""Modules and their variables."""


def open_descriptors() -> dict[str, str]:
    """What each of this process's descriptors is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are enough
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except OSError:  # the one that the listing itself had
            continue
    return found


def load(names: list[str]) -> str | None:
    """Imports ``module`` or ``module:name``, that as ``from module import name`` does; why it failed."""
    for entry in names:
        module, _, name = entry.partition(":")
        try:
            found = importlib.import_module(module)
            if name and not hasattr(found, name):
                importlib.import_module(f"{module}.{name}")
        except BaseException as error:  # noqa: BLE001 - a library's code, sys.exit included
            return f"{entry} cannot be imported: {type(error).__name__}: {error}"
    return None


def problem(before: dict[str, str]) -> str | None:
    """Why this process must not be forked; ``before`` is what was open before the imports."""
    if _has_threads():
        return "an import has started a thread"
    if _has_children():
        return "an import has started a process"
    if opened := [what for name, what in open_descriptors().items() if before.get(name) != what]:
        return f"an import has left {opened[0]} open"
    if _uses_gpu():
        return "an import has initialised CUDA"
    return None


def is_forkable() -> bool:
    """Whether nothing has happened since ``problem`` that would make a fork dangerous."""
    return not _has_threads()


def holding(folders: list[str]) -> Places:
    """The variables of modules that hold a path in one of these folders."""
    return [
        (module_name, name)
        for module_name, module in list(sys.modules.items())
        for name, value in list(_variables(module).items())
        if isinstance(value, (str, PurePath)) and any(folder in str(value) for folder in folders)
    ]


def move(places: Places, folders: list[str], new: str) -> None:
    """Gives these variables the same path in the new folder."""
    for module, name in places:
        value = getattr(sys.modules.get(module), name, None)
        if isinstance(value, (str, PurePath)):
            moved = str(value)
            for folder in folders:
                moved = moved.replace(folder, new)
            setattr(sys.modules[module], name, type(value)(moved))


def _variables(module: Any) -> dict[str, Any]:
    found = getattr(module, "__dict__", None)  # sys.modules may hold anything
    return found if isinstance(found, dict) and module is not sys.modules["__main__"] else {}


def _has_threads() -> bool:
    return len(os.listdir("/proc/self/task")) > 1  # noqa: PTH208 - their number is enough


def _has_children() -> bool:
    try:
        return bool(Path(f"/proc/self/task/{os.getpid()}/children").read_text().strip())
    except OSError:  # the kernel was built without that file
        return False


def _uses_gpu() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_initialized()
