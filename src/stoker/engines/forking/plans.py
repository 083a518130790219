"""What a fork server must have done and seen so that an instance may come from it. Called by ``servers``."""

from pathlib import Path

import msgspec

from stoker.engines.forking.imports import imports
from stoker.engines.surroundings import OWN, THREADS
from stoker.ports.engine import InstanceSpec

_FOLDERS = {"HOME", "TMPDIR"}


class Plan(msgspec.Struct, frozen=True):
    """Equal for two instances that may be forked from the same process."""

    python: Path
    environment: tuple[int, int]
    """Tells one made anew in the same place from the one before."""
    imports: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    """Those of the instance, but for what differs between instances by nature."""
    shares_output: bool
    """Whether several runs print at once: libraries keep the streams that they find at import."""


def plan(spec: InstanceSpec, variables: dict[str, str]) -> Plan | None:
    """None where nothing of the model's imports is worth it, or the environment is in no shape we know."""
    root = spec.python.parent.parent
    packages = next(root.glob("lib/python3*/site-packages"), None)
    identity = identity_of(root)
    if packages is None or identity is None:
        return None
    wanted = imports(spec.source, spec.predictor, packages=packages)
    if not wanted:
        return None
    own = OWN - (_FOLDERS & spec.variables.keys())
    kept = sorted(item for item in variables.items() if item[0] not in own)
    return Plan(spec.python, identity, wanted, tuple(kept), spec.slots > 1)


def identity_of(environment: Path) -> tuple[int, int] | None:
    """None where it is gone."""
    try:
        stat = (environment / "pyvenv.cfg").stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def at_import(plan: Plan, *, folder: str) -> dict[str, str]:
    """The variables for the imports: one thread, and the folders that each process finds its own at."""
    return {
        "HOME": f"{folder}/home",
        "TMPDIR": f"{folder}/tmp",
        **dict(plan.variables),
        **dict.fromkeys(THREADS, "1"),
    }
