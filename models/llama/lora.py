"""LoRA: what was learned beside a model's layers, never in them, so that the base stays as it was loaded.

``attach`` puts a pair of small matrices beside each chosen linear layer and adds what they make to what the
layer makes. ``training`` teaches them, ``loading`` serves with them. Names of tensors are those that PEFT
gives them, so adapters go from here to there and back. Files are ``archive``'s business.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""All linear layers of a block of the Llama family."""
Tensors = dict[str, torch.Tensor]
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


class Pair(nn.Module):
    """Two matrices beside one linear layer; their product is what was learned. It begins as nothing."""

    def __init__(self, layer: nn.Linear, *, rank: int, scale: float, dropout: float, dtype: torch.dtype):
        super().__init__()
        place: dict[str, Any] = {"device": layer.weight.device, "dtype": dtype}
        self.down = nn.Parameter(torch.empty(rank, layer.in_features, **place))
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank, **place))
        self.dropout = nn.Dropout(dropout)
        self.scale = scale

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        seen = self.dropout(given.to(self.down.dtype))
        return nn.functional.linear(nn.functional.linear(seen, self.down), self.up) * self.scale


def attach(model: Any, shape: Shape, *, dtype: torch.dtype, dropout: float = 0.0) -> dict[str, Pair]:
    """The pairs, by the names of their layers; filled with nothing yet."""
    pairs: dict[str, Pair] = {}
    for name, layer in _layers(model, shape.targets):
        pair = Pair(layer, rank=shape.rank, scale=shape.scale, dropout=dropout, dtype=dtype)
        layer.register_module("lora", pair)
        layer.register_forward_hook(_add)
        pairs[name] = pair
    return pairs


def begin(pairs: dict[str, Pair], *, seed: int) -> None:
    """Fresh matrices, the same for a seed on any hardware."""
    chance = torch.Generator().manual_seed(seed)
    for pair in pairs.values():
        bound = 1 / math.sqrt(pair.down.shape[1])
        fresh = torch.rand(pair.down.shape, generator=chance) * 2 * bound - bound
        with torch.no_grad():
            pair.down.copy_(fresh)
            pair.up.zero_()


def tensors(pairs: dict[str, Pair]) -> Tensors:
    """Copies on the CPU."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in parameters(pairs).items()}


def parameters(pairs: dict[str, Pair]) -> dict[str, nn.Parameter]:
    """What is taught, by the names that PEFT gives it."""
    found: dict[str, nn.Parameter] = {}
    for name, pair in pairs.items():
        found[f"{_PREFIX}{name}.lora_A.weight"] = pair.down
        found[f"{_PREFIX}{name}.lora_B.weight"] = pair.up
    return found


def fill(pairs: dict[str, Pair], given: Tensors) -> None:
    """Puts an adapter's tensors where they belong; ``ValueError`` where it is one of another base."""
    places = parameters(pairs)
    if missing := sorted(set(places) ^ set(given)):
        raise ValueError(f"The adapter is of another base: {missing[0]} is in one of the two only.")
    with torch.no_grad():
        for name, place in places.items():
            if place.shape != given[name].shape:
                wanted, found = tuple(place.shape), tuple(given[name].shape)
                raise ValueError(f"The adapter is of another base: {name} has {found} and not {wanted}.")
            place.copy_(given[name])


def targets_in(model: Any, wanted: Sequence[str]) -> tuple[str, ...]:
    """Those names, once each; ``ValueError`` for one that no layer has."""
    for name in wanted:
        if not any(_layers(model, (name,))):
            raise ValueError(
                f"This model has no linear layer {name!r}; layers are {', '.join(_known(model))}."
            )
    return tuple(dict.fromkeys(wanted))


def _add(layer: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> torch.Tensor:
    pair: Any = layer.lora
    return made + pair(given[0]).to(made.dtype)


def _layers(model: Any, targets: Sequence[str]) -> Iterator[tuple[str, nn.Linear]]:
    """Linear layers inside of blocks; bitsandbytes' are of the same class."""
    wanted = set(targets)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and re.search(r"\.\d+\.", name) and name.split(".")[-1] in wanted:
            yield name, module


def _known(model: Any) -> list[str]:
    names = [name.split(".") for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    return sorted({parts[-1] for parts in names if any(part.isdecimal() for part in parts)})
