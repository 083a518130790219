"""An adapter while it is taught: a pair of small matrices beside each chosen layer, with gradients.

``train`` attaches the pairs, ``training`` teaches them. What is served later is ``served``'s business: there
are many adapters at once there, and none of them learns.
"""

import math
from typing import Any

import torch
from lora import Shape, Tensors, check, layers_of, names_of
from torch import nn

Pairs = dict[str, "Pair"]
"""By the names of their layers."""


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


def attach(model: Any, shape: Shape, *, dtype: torch.dtype, dropout: float = 0.0) -> Pairs:
    """The pairs, filled with nothing yet; from now on the model computes with them."""
    pairs: Pairs = {}
    for name, layer in layers_of(model, shape.targets).items():
        pair = Pair(layer, rank=shape.rank, scale=shape.scale, dropout=dropout, dtype=dtype)
        layer.register_module("lora", pair)
        layer.register_forward_hook(_add)
        pairs[name] = pair
    return pairs


def begin(pairs: Pairs, *, seed: int) -> None:
    """Fresh matrices, the same for a seed on any hardware."""
    chance = torch.Generator().manual_seed(seed)
    for pair in pairs.values():
        bound = 1 / math.sqrt(pair.down.shape[1])
        fresh = torch.rand(pair.down.shape, generator=chance) * 2 * bound - bound
        with torch.no_grad():
            pair.down.copy_(fresh)
            pair.up.zero_()


def tensors(pairs: Pairs) -> Tensors:
    """Copies on the CPU."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in parameters(pairs).items()}


def parameters(pairs: Pairs) -> dict[str, nn.Parameter]:
    """What is taught, by the names that PEFT gives it."""
    found: dict[str, nn.Parameter] = {}
    for name, pair in pairs.items():
        down, up = names_of(name)
        found |= {down: pair.down, up: pair.up}
    return found


def fill(pairs: Pairs, given: Tensors) -> None:
    """Puts an adapter's tensors where they belong; ``ValueError`` where it is one of another base."""
    rank = next((pair.down.shape[0] for pair in pairs.values()), 0)
    sizes = {name: (pair.down.shape[1], pair.up.shape[0]) for name, pair in pairs.items()}
    check(given, sizes, rank=rank)
    with torch.no_grad():
        for name, place in parameters(pairs).items():
            place.copy_(given[name])


def _add(layer: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> torch.Tensor:
    pair: Any = layer.lora
    return made + pair(given[0]).to(made.dtype)
