"""LoRA: what was learned beside a model's layers, never in them, so that the base stays as it was loaded.

What ``taught`` and ``served`` agree on: which layers there are, what an adapter of them is called and how
large it must be. Names of tensors are those that PEFT gives them, so adapters go from here to there and back.
Files are ``archive``'s business.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""All linear layers of a block of the Llama family."""
Tensors = dict[str, torch.Tensor]
Layers = dict[str, nn.Linear]
_PREFIX = "base_model.model."


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What of an adapter is not in its tensors; ``targets`` are names of layers as they end."""

    rank: int
    alpha: float
    targets: tuple[str, ...] = TARGETS
    by_root: bool = False
    """Whether alpha is divided by the root of the rank (PEFT's rsLoRA)."""

    @property
    def scale(self) -> float:
        return self.alpha / (math.sqrt(self.rank) if self.by_root else self.rank)


def layers_of(model: Any, targets: Sequence[str] | None = None) -> Layers:
    """Linear layers inside of blocks, by name; all of them, or those that end in one of the targets.

    bitsandbytes' are of the same class.
    """
    found: Layers = {}
    for name, module in model.named_modules():
        is_wanted = targets is None or name.split(".")[-1] in targets
        if is_wanted and isinstance(module, nn.Linear) and re.search(r"\.\d+\.", name):
            found[name] = module
    return found


def targets_in(model: Any, wanted: Sequence[str]) -> tuple[str, ...]:
    """Those names, once each; ``ValueError`` for one that no layer has."""
    known = sorted({name.split(".")[-1] for name in layers_of(model)})
    for name in wanted:
        if name not in known:
            raise ValueError(f"This model has no linear layer {name!r}; layers are {', '.join(known)}.")
    return tuple(dict.fromkeys(wanted))


def names_of(layer: str) -> tuple[str, str]:
    """What the two matrices beside a layer are called: the one that leads down to the rank, and up again."""
    return f"{_PREFIX}{layer}.lora_A.weight", f"{_PREFIX}{layer}.lora_B.weight"


def check(given: Tensors, sizes: Mapping[str, tuple[int, int]], *, rank: int) -> None:
    """``ValueError`` where these are not an adapter's tensors, of this rank and beside just these layers.

    The layers' sizes are how much goes in and how much comes out.
    """
    wanted: dict[str, tuple[int, int]] = {}
    for layer, (inward, outward) in sizes.items():
        down, up = names_of(layer)
        wanted |= {down: (rank, inward), up: (outward, rank)}
    if missing := sorted(set(wanted) ^ set(given)):
        raise ValueError(f"The adapter is of another base: {missing[0]} is in one of the two only.")
    for name, size in wanted.items():
        if given[name].shape != size:
            found = tuple(given[name].shape)
            raise ValueError(f"The adapter is of another base: {name} has {found} and not {size}.")
