"""Many adapters beside one base: in each step, every request's tokens get what was learned for that request.

``places`` loads ``Served`` adapters; ``steps`` says before each step whose tokens come, those with adapters
first; hooks beside the layers add what belongs to each. A loaded adapter is never changed, so one can come or
go while a step runs. Which requests there are is known on the host, so no layer waits for a GPU.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from archive import Adapter
from lora import TARGETS, check, layers_of, names_of
from torch import nn

RANK = 16
"""Of the adapter that a place has room for; larger ones take more places."""
TOGETHER_TOKENS = 64
"""Steps up to this size, which are those without prompts, compute all their adapters at once.

One by one costs two operations a layer and adapter, which is what a small step's time goes by on a GPU: it
takes as long to start one as to do it. At once is three a layer, whatever the number; each token then also
pays for the others' adapters, which is little for a few tokens and too much for thousands.
"""

Pair = tuple[torch.Tensor, torch.Tensor]
"""Of one layer: the matrix that leads down to the rank; that which leads up again, transposed and scaled."""


@dataclass(frozen=True, eq=False)
class Served:
    """An adapter as it is used; ``digest`` is that of the file that it came from."""

    digest: str
    pairs: dict[str, Pair]

    @property
    def size_bytes(self) -> int:
        return sum(matrix.nbytes for pair in self.pairs.values() for matrix in pair)

    def __deepcopy__(self, memo: Any) -> "Served":
        return self  # the manager copies a request that has to begin again, with all that it was given


@dataclass(frozen=True)
class Span:
    """Tokens of a step, one after the other, that have the same adapter."""

    adapter: Served
    begin: int
    end: int


@dataclass(frozen=True)
class _Joint:
    """What several adapters have beside one layer, as if it were one; ``owners`` says whose each row is."""

    down: torch.Tensor
    up: torch.Tensor
    owners: tuple[int, ...]


def prepare(model: Any, adapter: Adapter, digest: str) -> Served:
    """The adapter on the CPU, as the model will use it; ``ValueError`` where it is one of another base."""
    layers = layers_of(model, adapter.shape.targets)
    sizes = {name: (layer.in_features, layer.out_features) for name, layer in layers.items()}
    check(adapter.tensors, sizes, rank=adapter.shape.rank)
    if not layers:
        raise ValueError("The adapter has nothing for any layer of this model.")
    pairs: dict[str, Pair] = {}
    for name in layers:
        down, up = (adapter.tensors[tensor].float() for tensor in names_of(name))
        made = down.to(model.dtype), (up.T * adapter.shape.scale).to(model.dtype).contiguous()
        # A number that is none would spread from here to the tokens of others (nothing times it is it).
        if not all(torch.isfinite(matrix).all() for matrix in made):
            raise ValueError(f"The adapter cannot be used: beside {name} it has values that are no numbers.")
        pairs[name] = made
    return Served(digest, pairs)


def put(model: Any, adapter: Served) -> Served:
    """The same adapter where the model's layers are. Whatever runs meanwhile is not disturbed."""
    devices = {name: layer.weight.device for name, layer in layers_of(model).items()}
    pairs = {
        name: (down.to(devices[name]), up.to(devices[name])) for name, (down, up) in adapter.pairs.items()
    }
    return Served(adapter.digest, pairs)


def place_bytes(model: Any) -> int:
    """How much an adapter of ``RANK`` beside all layers takes."""
    return sum(_place_bytes(model).values())


def place_bytes_at_most(model: Any) -> int:
    """How much of it lies on the device that has most of it."""
    return max(_place_bytes(model).values(), default=0)


def _place_bytes(model: Any) -> dict[torch.device, int]:
    found: dict[torch.device, int] = {}
    for layer in layers_of(model, TARGETS).values():
        size = RANK * (layer.in_features + layer.out_features) * model.dtype.itemsize
        found[layer.weight.device] = found.get(layer.weight.device, 0) + size
    return found


class Beside:
    """The adapters of the step that is computed, beside the layers of one model."""

    def __init__(self, model: Any):
        self._model = model
        self._hooks: list[Any] = []
        self._tokens = 0
        self._spans: Sequence[Span] = ()
        self._joined: tuple[str, ...] = ()
        """Of which adapters the joints are; they are kept while small steps have just these."""
        self._joints: dict[str, _Joint | None] = {}
        self._others: dict[tuple[Any, ...], torch.Tensor] = {}

    def begin(self, spans: Sequence[Span], *, tokens: int) -> None:
        """Called before each step of so many tokens; those behind the last span have no adapter."""
        self._spans, self._tokens = spans, tokens
        self._others.clear()
        digests = tuple(span.adapter.digest for span in spans)
        if len(spans) < 2 or (tokens <= TOGETHER_TOKENS and digests != self._joined):
            self._joined, self._joints = digests, {}
        if bool(spans) != bool(self._hooks):
            self._hook(bool(spans))

    def _hook(self, wanted: bool) -> None:
        """Hooks stand in steps that need them only: the others cost what they cost without this module."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        if wanted:
            for name, layer in layers_of(self._model).items():
                self._hooks.append(layer.register_forward_hook(functools.partial(self._add, name)))
            self._hooks.append(self._model.register_forward_hook(self._end))

    def bound(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Called with what a layer has computed for attention, of all tokens: (1, heads, tokens, width).

        Attention may look at all of a step's requests at once and add a large negative number where one must
        not see another. That hides any number but those that are none, and keys so large that the sum is
        positive: what an adapter that is finite makes of a prompt would then be in everyone's answer.
        """
        if self._spans:
            most = math.sqrt(torch.finfo(keys.dtype).max)
            for states in (keys, values):
                states[:, :, : self._spans[-1].end].clamp_(-most, most).nan_to_num_(nan=0.0)

    def _end(self, *_: Any) -> None:
        """What is not used any more must not be kept in memory by a step that is over."""
        self._spans = ()

    def _add(
        self, name: str, layer: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor
    ) -> torch.Tensor:
        seen = given[0]
        if not self._spans:
            return made
        if seen.shape[:-1] != (1, self._tokens):
            raise RuntimeError(f"A step of {self._tokens} tokens reached {name} as {tuple(seen.shape)}.")
        if len(self._spans) > 1 and self._tokens <= TOGETHER_TOKENS:
            self._add_joint(name, seen[0], made[0])
            return made
        for span in self._spans:
            if pair := span.adapter.pairs.get(name):
                rows = slice(span.begin, span.end)
                made[0, rows].addmm_(nn.functional.linear(seen[0, rows], pair[0]), pair[1])
        return made

    def _add_joint(self, name: str, seen: torch.Tensor, made: torch.Tensor) -> None:
        if name not in self._joints:
            self._joints[name] = _join([span.adapter.pairs.get(name) for span in self._spans])
        if joint := self._joints[name]:
            rows = slice(self._spans[-1].end)
            down = nn.functional.linear(seen[rows], joint.down)
            down.masked_fill_(self._others_of(joint), 0)
            made[rows].addmm_(down, joint.up)

    def _others_of(self, joint: _Joint) -> torch.Tensor:
        """Which of the rows of a joint are another's, for each token; made once a step."""
        key = (joint.down.device, joint.owners)
        if key not in self._others:
            tokens = [number for number, span in enumerate(self._spans) for _ in range(span.begin, span.end)]
            device = joint.down.device
            whose, owners = torch.tensor(tokens, device=device), torch.tensor(joint.owners, device=device)
            self._others[key] = whose[:, None] != owners
        return self._others[key]


def _join(pairs: Sequence[Pair | None]) -> _Joint | None:
    found = [(number, pair) for number, pair in enumerate(pairs) if pair is not None]
    if not found:
        return None
    owners = tuple(number for number, (down, _) in found for _ in range(down.shape[0]))
    return _Joint(
        torch.cat([down for _, (down, _) in found]), torch.cat([up for _, (_, up) in found]), owners
    )
