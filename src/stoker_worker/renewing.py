"""What a forked process must not have in common with the others that were forked from the same one.

Called by ``fork_server`` in the child, before the model is loaded: random states that libraries drew at
import, and the number of threads, which they read at import from an environment that said one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path
from typing import Any

_SETTERS = (
    ("openblas", "openblas_set_num_threads"),
    ("openblas", "openblas_set_num_threads64_"),
    ("openblas", "scipy_openblas_set_num_threads"),
    ("openblas", "scipy_openblas_set_num_threads64_"),
    ("gomp", "omp_set_num_threads"),
    ("iomp", "omp_set_num_threads"),
    ("libomp", "omp_set_num_threads"),
)
"""Parts of the names of libraries, and the function of each that takes a number of threads."""


def renew(variables: dict[str, str]) -> None:
    """Makes this process the one that its variables describe; replaces the environment."""
    os.environ.clear()
    os.environ.update(variables)
    _renew_random()
    _renew_folders()
    with contextlib.suppress(ValueError):
        _use_threads(int(variables.get("OMP_NUM_THREADS", "")))


def _renew_random() -> None:
    """``random`` reseeds itself at a fork."""
    numpy_random: Any = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.seed()
    process: Any = sys.modules.get("multiprocessing.process")
    if process is not None:
        process.current_process().authkey = os.urandom(32)
    uuid: Any = sys.modules.get("uuid")
    if uuid is not None:
        uuid._last_timestamp = None


def _renew_folders() -> None:
    tempfile: Any = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile.tempdir = None  # found anew from TMPDIR


def _use_threads(count: int) -> None:
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)
    numexpr: Any = sys.modules.get("numexpr")
    if numexpr is not None:
        numexpr.set_num_threads(count)
    for library in _libraries():
        loaded = ctypes.CDLL(library)
        for part, name in _SETTERS:
            if part in Path(library).name and hasattr(loaded, name):
                getattr(loaded, name)(count)


def _libraries() -> set[str]:
    """Paths of the loaded libraries that compute with threads."""
    parts = {part for part, _ in _SETTERS}
    maps = Path("/proc/self/maps").read_text().splitlines()
    paths = {fields[5] for line in maps if len(fields := line.split(None, 5)) == 6}
    return {path for path in paths if ".so" in path and any(part in Path(path).name for part in parts)}
