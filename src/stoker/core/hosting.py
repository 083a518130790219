"""In whose instances a version runs. Pure; asked by whoever looks for its instances, and by trainings.

What a training made needs no process of its own where the model takes weights with each prediction: an
instance that has the base in memory serves every version that was trained from it, all of them at once.
"""

import msgspec

from stoker.core.catalog import Version
from stoker.core.inputs import is_file
from stoker.core.scaling import Pool

WEIGHTS_INPUT = "replicate_weights"
"""The input that takes them, by the name that it has in Replicate's own trainable models."""


def takes_weights(version: Version) -> bool:
    """Whether each prediction may bring weights of its own, and need not: a file input of that name."""
    schema = version.input_schema
    described = schema.get("properties", {}).get(WEIGHTS_INPUT, {})
    return is_file(described) and WEIGHTS_INPUT not in schema.get("required", ())


def host_of_trained(base: Version) -> str | None:
    """``Recipe.runs_in`` of what is trained from that version."""
    own = base.recipe.weights is None and takes_weights(base)
    return base.recipe.runs_in or (f"{base.model}:{base.id}" if own else None)


def host_of(version: Version) -> Version:
    """What is booted for it: the base, which is the same but for the weights, or the version itself."""
    if version.recipe.runs_in is None:
        return version
    model, _, id = version.recipe.runs_in.partition(":")
    recipe = msgspec.structs.replace(
        version.recipe, weights=None, weights_name="weights", trained_from=None, runs_in=None
    )
    return msgspec.structs.replace(version, id=id, model=model, recipe=recipe)


def pool_of(version: Version) -> Pool:
    """The instances that it shares with all who ask for none of their own, on its model's hardware."""
    runs_in = version.recipe.runs_in
    return Pool(runs_in.rpartition(":")[2] if runs_in else version.id, hardware=version.hardware)
