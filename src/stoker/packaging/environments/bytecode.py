"""What Python has compiled in one environment, given to another that has the same files.

Called by ``environment`` when packages are installed. Python compiles a module when it is first imported, and
for torch and transformers that takes longer than the imports themselves. The installer links files instead of
copying them, so a file that two environments have in common is one file on the disk, and what was made of it
in one holds in the other: it names the time and size of its source, which Python looks at. Sharing precedes
the commands of cog.yaml; a file that one of them patches has another time or size, and is compiled anew.

It compiles nothing itself, and a file that is not the very same gets nothing (a copy, or what a command has
replaced in the environment that was there before). What names a hash of its source stays where it is: Python
may have been told not to look at the source at all, and would run what was there before a patch.
"""

import contextlib
import os
import re
from pathlib import Path

_CACHE = "__pycache__"
_COMPILED = re.compile(r"^(?P<module>[^.]+)\.cpython-\d+\.pyc$")
"""What a plain import leaves. Libraries that rewrite modules on import keep theirs under longer names."""
_FLAGS = slice(4, 8)
"""Where a compiled file says what it names of its source (PEP 552); all zero is the time."""


def share(made: Path, new: Path) -> int:
    """Links what is compiled in ``made`` into ``new``, where it is missing; how many files. Blocks."""
    shared = 0
    for folder, below, _ in os.walk(made):
        there = new / Path(folder).relative_to(made)
        if not there.is_dir():
            below.clear()
        elif _CACHE in below:
            below.remove(_CACHE)
            shared += _share_folder(Path(folder), there)
    return shared


def _share_folder(folder: Path, there: Path) -> int:
    linked = 0
    with contextlib.suppress(OSError):  # the other environment is just being removed
        for compiled in (folder / _CACHE).iterdir():
            linked += _share_file(compiled, there)
    return linked


def _share_file(compiled: Path, there: Path) -> bool:
    found = _COMPILED.match(compiled.name)
    if found is None:
        return False
    source = f"{found['module']}.py"
    try:
        if not (compiled.parent.parent / source).samefile(there / source) or not _names_time(compiled):
            return False
        (there / _CACHE).mkdir(exist_ok=True)
        os.link(compiled, there / _CACHE / compiled.name)
    except OSError:  # no such source, linked already, or just being removed
        return False
    return True


def _names_time(compiled: Path) -> bool:
    """Whether it names its source's time, not a hash. A command can have left anything under its name."""
    if compiled.is_symlink() or not compiled.is_file():
        return False
    with compiled.open("rb") as file:
        return file.read(_FLAGS.stop)[_FLAGS] == bytes(4)
