"""What Python has compiled in one environment, given to another that has the same files.

Called by ``environment`` when packages are installed. Python compiles a module when it is first imported, and
for torch and transformers that takes longer than the imports themselves. The installer links files instead of
copying them, so a file that two environments have in common is one file on the disk, and what was made of it
in one holds in the other: it names the time and size of its source, which Python looks at.

It compiles nothing itself, and a file that is not the very same (copied, or changed by a command of
cog.yaml) gets nothing.
"""

import contextlib
import os
import re
from pathlib import Path

_CACHE = "__pycache__"
_COMPILED = re.compile(r"^(?P<module>[^.]+)\.cpython-\d+\.pyc$")
"""What a plain import leaves. Libraries that rewrite modules on import keep theirs under longer names."""


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
    for compiled in (folder / _CACHE).iterdir():
        found = _COMPILED.match(compiled.name)
        if found is None:
            continue
        source = f"{found['module']}.py"
        with contextlib.suppress(
            OSError
        ):  # no such source, linked already, or the folder is just being removed
            if (folder / source).samefile(there / source):
                (there / _CACHE).mkdir(exist_ok=True)
                os.link(compiled, there / _CACHE / compiled.name)
                linked += 1
    return linked
