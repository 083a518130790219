"""Trainings: what one gives, and the version that comes of it. Pure; called by ``runtime.trainings``."""

import hashlib
from typing import Any, cast

import msgspec

from stoker.core.catalog import Version
from stoker.core.hosting import host_of_trained


def weights_of(output: Any) -> str | None:
    """The link to the weights in what a training gave: the whole output, or its ``weights``; None without."""
    found = cast(dict[str, Any], output).get("weights") if isinstance(output, dict) else output
    return found if isinstance(found, str) else None


def trained_version(base: Version, *, weights: str, name: str, destination: str, now_us: int) -> Version:
    """The base version with these weights (sha256, and the file's name), as a version of another model.

    The same weights from the same base are the same version, however often it is trained.
    """
    what_runs = {"base": base.id, "weights": weights, "name": name}
    recipe = msgspec.structs.replace(
        base.recipe,
        weights=weights,
        weights_name=name,
        trained_from=f"{base.model}:{base.id}",
        runs_in=host_of_trained(base),
    )
    return msgspec.structs.replace(
        base,
        id=hashlib.sha256(msgspec.json.encode(what_runs, order="deterministic")).hexdigest(),
        model=destination,
        created_us=now_us,
        recipe=recipe,
    )
