"""Which NVIDIA GPUs this machine has, from what the driver tells in /proc; no library is loaded."""

import re
from pathlib import Path

DRIVER = Path("/proc/driver/nvidia/gpus")

_MODEL = re.compile(r"^Model:\s*(.+?)\s*$", re.MULTILINE)


def names(driver: Path = DRIVER) -> list[str]:
    """The name of each GPU, in the order of their places on the bus; none where there is no driver."""
    found: list[str] = []
    try:
        for folder in sorted(driver.iterdir()):
            if model := _MODEL.search((folder / "information").read_text("utf-8", "replace")):
                found.append(model[1])
    except OSError:
        return found
    return found
