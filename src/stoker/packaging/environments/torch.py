"""Prefers PyTorch's builds for the CPU where a model asks for no GPU: the others bring gigabytes of CUDA.

Pure; called by ``lock``. The build of a wheel is its version's local part (``2.13.0+cpu``).
"""

from collections.abc import Iterable

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from stoker.packaging.environments.requirements import direct_specifier

FAMILY = ("torch", "torchvision", "torchaudio")
CPU = "cpu"


def cpu_constraints(wheels: Iterable[str], lines: Iterable[str], python: tuple[int, int]) -> list[str]:
    """Constraints to the newest CPU builds among the wheels' file names that fit the requirement lines.

    A package that the lines do not name gets one too: it may come as another's dependency.
    """
    tags = set(cpython_tags(python))
    best: dict[str, Version] = {}
    wanted = {package: _specifier(list(lines), package) for package in FAMILY}
    for file in wheels:
        try:
            name, version, _, wheel_tags = parse_wheel_filename(file)
        except InvalidWheelFilename:
            continue
        if name not in FAMILY or version.local != CPU or not tags & wheel_tags:
            continue
        if wanted[name].contains(version, prereleases=True) and version > best.get(name, Version("0")):
            best[name] = version
    return [f"{name}=={version}" for name, version in sorted(best.items())]


def brings_cuda(lock: Iterable[str]) -> bool:
    """Whether the pins hold a PyTorch that is not built for the CPU alone, and CUDA's libraries with it."""
    pins = list(lock)
    return any(line.startswith("torch==") and f"+{CPU}" not in line for line in pins) and any(
        line.startswith("nvidia-") for line in pins
    )


def _specifier(lines: list[str], package: str) -> SpecifierSet:
    try:
        return SpecifierSet(direct_specifier(lines, package) or "")
    except InvalidSpecifier:
        return SpecifierSet("")
