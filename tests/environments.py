"""Environments with packages of the test's own, beside what the tests' own interpreter has."""

import os
import sys
import sysconfig
from pathlib import Path


def make_environment(folder: Path, packages: dict[str, str], *, python: Path = Path(sys.executable)) -> Path:
    """The interpreter of a new environment; ``packages`` are modules by name, with their code."""
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    site.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(python.resolve())
    home = Path(os.path.realpath(python)).parent
    (folder / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    (site / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name, code in packages.items():
        (site / f"{name}.py").write_text(code)
    return folder / "bin" / "python"
