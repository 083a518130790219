"""Chooses the interpreter for a version: the wanted one, fetched if need be, else the nearest one.

Called by the builder and by ``environment``. One instance a server: it remembers what is installed.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from stoker.core.errors import BuildFailed
from stoker.packaging.cogyaml.config import OLDEST_PYTHON
from stoker.packaging.environments.uv import OnLine, Uv
from stoker.ports.clock import Clock

_FETCH_S = 180.0
_RETRY_US = 600 * 1_000_000
"""A fetch that failed is not tried again for ten minutes: each try holds up a push by seconds."""

_LIST_LIMIT = 1024 * 1024
"""uv writes its whole list into one line."""

Minor = tuple[int, int]


class Choice(msgspec.Struct, frozen=True):
    python: Path
    version: Minor
    warning: str | None = None


class Pythons:
    def __init__(self, uv: Uv, clock: Clock, environ: Mapping[str, str], folder: Path):
        self._uv = uv
        self._clock = clock
        self._path = search_path(environ)
        self._folder = folder
        self._installed: dict[Minor, Path] = {}
        self._failed_us: dict[Minor, int] = {}

    async def choose(self, wanted: Minor, *, mark: str, on_line: OnLine | None = None) -> Choice:
        """The interpreter of that minor version, else the nearest with a warning; fetches where it can."""
        if python := await self._exact(wanted, mark, on_line):
            return Choice(python, wanted)
        nearest = nearest_version(wanted, self._installed)
        if nearest is None:
            raise BuildFailed(
                f"Python {_text(wanted)} could not be fetched, and no Python from {_text(OLDEST_PYTHON)} on "
                f"is installed. Install one (for instance: apt-get install python3)."
            )
        return Choice(
            self._installed[nearest],
            nearest,
            f"Python {_text(wanted)} is neither installed nor could it be fetched; "
            f"Python {_text(nearest)} is used.",
        )

    async def exactly(self, version: Minor, *, mark: str) -> Path:
        """The interpreter of that minor version; raises ``BuildFailed`` where there is none."""
        if python := await self._exact(version, mark, None):
            return python
        raise BuildFailed(
            f"This version runs on Python {_text(version)}, which is not installed here any more and could "
            f"not be fetched. Install it, or push the model again."
        )

    async def _exact(self, wanted: Minor, mark: str, on_line: OnLine | None) -> Path | None:
        known = self._installed.get(wanted)
        if known is None or not known.exists():
            self._installed = await self._list(mark)
            known = self._installed.get(wanted)
        if known is None and self._may_fetch(wanted):
            await self._fetch(wanted, mark, on_line)
            known = self._installed.get(wanted)
        return known

    def _may_fetch(self, wanted: Minor) -> bool:
        failed_us = self._failed_us.get(wanted)
        return failed_us is None or self._clock.now_us() - failed_us > _RETRY_US

    async def _fetch(self, wanted: Minor, mark: str, on_line: OnLine | None) -> None:
        if on_line is not None:
            on_line(f"Fetching Python {_text(wanted)}.")
        outcome = await self._uv(
            "python",
            "install",
            "--no-bin",
            _text(wanted),
            cwd=self._folder,
            mark=mark,
            timeout_s=_FETCH_S,
            variables={"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "15"},
        )
        if outcome.code != 0:
            self._failed_us[wanted] = self._clock.now_us()
            if on_line is not None:
                on_line(f"It could not be fetched ({' '.join(outcome.tail[-1:]).strip()}).")
        self._installed = await self._list(mark)

    async def _list(self, mark: str) -> dict[Minor, Path]:
        lines: list[str] = []
        await self._uv(
            "python",
            "list",
            "--only-installed",
            "--output-format=json",
            cwd=self._folder,
            mark=mark,
            on_line=lines.append,
            timeout_s=60.0,
            line_limit=_LIST_LIMIT,
            variables={"PATH": self._path},
        )
        return usable(lines)


def search_path(environ: Mapping[str, str]) -> str:
    """Where interpreters are looked for: PATH and pyenv's versions.

    pyenv's shims are left out: a shim of a version that is not selected fails, and uv stops there.
    """
    root = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "/")) / ".pyenv")
    versions = sorted(str(folder) for folder in root.glob("versions/3.*/bin"))
    path = [part for part in environ.get("PATH", os.defpath).split(":") if not part.endswith("/shims")]
    return ":".join([*path, *versions])


def usable(lines: Iterable[str]) -> dict[Minor, Path]:
    """The newest patch of each minor version in uv's list, from the oldest that the SDK takes on."""
    best: dict[Minor, tuple[int, Path]] = {}
    for entry in _entries(lines):
        parts = entry["version_parts"]
        minor, patch = (parts["major"], parts["minor"]), parts["patch"]
        if entry["implementation"] != "cpython" or entry.get("variant", "default") != "default":
            continue
        if minor >= OLDEST_PYTHON and patch > best.get(minor, (-1, Path()))[0]:
            best[minor] = (patch, Path(entry["path"]))
    return {minor: path for minor, (_, path) in best.items()}


def _entries(lines: Iterable[str]) -> list[dict[str, Any]]:
    for line in lines:
        if line.startswith("["):
            return json.loads(line)
    return []


def nearest_version(wanted: Minor, installed: Iterable[Minor]) -> Minor | None:
    """The closest minor version; of two equally close ones the older, which wheels exist for more surely."""
    return min(installed, key=lambda minor: (abs(minor[1] - wanted[1]), minor), default=None)


def _text(version: Minor) -> str:
    return ".".join(map(str, version))
