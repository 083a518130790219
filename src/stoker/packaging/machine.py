"""What this machine has that a model may need and no environment can hold: Debian packages, a GPU.

Called by the builder before it builds anything, so that a missing library is an error of the push and not of
the first prediction.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from stoker.core.errors import BuildFailed

_RENAMED = {
    "libgl1-mesa-glx": "libgl1",
    "libgl1-mesa-dev": "libgl-dev",
    "libegl1-mesa": "libegl1",
    "python-dev": "python3-dev",
    "netcat": "netcat-openbsd",
}
"""Packages that many models name and that today's Debian has under another name."""

_QUERY_S = 30.0


class Machine:
    """``dpkg_query`` is the command that knows Debian packages; None where there is none."""

    def __init__(self, *, dpkg_query: str | None = shutil.which("dpkg-query"), devices: Path = Path("/dev")):
        self._dpkg_query = dpkg_query
        self._devices = devices

    def check_packages(self, wanted: Iterable[str]) -> str | None:
        """A warning where it cannot be told; raises ``BuildFailed`` where packages are missing. Blocks."""
        names = [package_name(entry) for entry in wanted]
        if not names:
            return None
        if self._dpkg_query is None:
            unknown = [name for name in names if shutil.which(name) is None]
            if not unknown:
                return None
            return f"Whether this machine has these system_packages could not be told: {' '.join(unknown)}."
        installed = parse_packages(self._listed())
        missing = [name for name in names if not {name, _RENAMED.get(name, name)} & installed]
        if missing:
            raise BuildFailed(
                f"This machine lacks system packages that the model needs. Install them, then push again:\n"
                f"    apt-get install {' '.join(_RENAMED.get(name, name) for name in missing)}"
            )
        return None

    def check_gpu(self) -> None:
        """Raises ``BuildFailed`` where there is no NVIDIA GPU with its driver."""
        if not any(re.fullmatch(r"nvidia\d+", device.name) for device in self._devices.glob("nvidia*")):
            raise BuildFailed(
                "cog.yaml says gpu: true, and this machine has no NVIDIA GPU (or its driver is not loaded). "
                "Push to a machine that has one, or set gpu: false if the model also runs on a CPU."
            )

    def _listed(self) -> str:
        query = [str(self._dpkg_query), "-W", "-f=${Package}\t${Status}\t${Provides}\n"]
        result = subprocess.run(query, capture_output=True, text=True, timeout=_QUERY_S, check=False)
        return result.stdout


def package_name(entry: str) -> str:
    """The bare name: apt also takes ``name=version``, ``name:architecture`` and ``name/release``."""
    return re.split(r"[=:/]", entry.strip(), maxsplit=1)[0]


def parse_packages(listing: str) -> set[str]:
    """The installed packages in dpkg-query's lines, and what they provide."""
    names: set[str] = set()
    for line in listing.splitlines():
        name, _, rest = line.partition("\t")
        status, _, provides = rest.partition("\t")
        if not status.endswith(" installed"):
            continue
        names.add(name)
        names.update(part.split()[0] for part in provides.split(",") if part.strip())
    return names
