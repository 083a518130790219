"""How a request's next token is chosen: its own parameters and its own chance, whatever else is in the batch.

``predict`` makes a ``Sampling`` of a prediction's inputs. ``Sampler`` is the manager's logits processor: it
is asked once a step with one row of scores for each request and raises the score of the chosen token beyond
all others, so that the manager, which takes the best, takes it. Nothing here may fail for one row: the
manager would end, and with it every request. What could be wrong is refused in ``Sampling`` before that.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from served import Served
from transformers import LogitsProcessorList
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
)
from transformers.generation.continuous_batching.requests import FutureRequestState

NARROW = 1024
"""Up to so many candidates are found without sorting the whole vocabulary."""


@dataclass(kw_only=True)
class Sampling:
    """A request's parameters, checked, with what they must remember from token to token.

    A ``temperature`` of 0 takes the likeliest token. ``top_k`` 0 or -1 and ``top_p`` 1 leave nothing out. The
    penalties count what was generated, not the prompt.
    """

    temperature: float
    top_p: float
    top_k: int
    presence_penalty: float
    frequency_penalty: float
    min_tokens: int
    max_tokens: int
    seed: int | None
    made: int = 0
    counts: Counter[int] = field(default_factory=Counter)
    is_lost: bool = False
    """Whether its adapter makes no numbers of its prompt; what is chosen then means nothing."""

    def __post_init__(self) -> None:
        _require(0 <= self.temperature < math.inf, "temperature", self.temperature, "0 or more")
        _require(0 < self.top_p <= 1, "top_p", self.top_p, "above 0 and at most 1")
        _require(self.top_k >= -1, "top_k", self.top_k, "0 (no limit) or more")
        self.top_k = max(0, self.top_k)  # vLLM, by which the published model is served, says -1 for no limit
        for name in ("presence_penalty", "frequency_penalty"):
            _require(math.isfinite(getattr(self, name)), name, getattr(self, name), "a number")
        _require(self.min_tokens >= 0, "min_tokens", self.min_tokens, "0 or more")
        _require(self.max_tokens >= 1, "max_tokens", self.max_tokens, "1 or more")
        self._chance = random.Random(self.seed)

    @property
    def is_random(self) -> bool:
        return self.temperature > 0 and self.top_k != 1

    @property
    def is_penalised(self) -> bool:
        return bool(self.presence_penalty or self.frequency_penalty)

    @property
    def may_end(self) -> bool:
        return self.made >= self.min_tokens

    def draw(self) -> float:
        """The next random number of this request, from 0 to below 1."""
        return self._chance.random()

    def penalties(self) -> list[float]:
        """What to subtract from the scores of ``counts``' tokens, in their order."""
        return [self.presence_penalty + self.frequency_penalty * count for count in self.counts.values()]


class Sampler(ContinuousBatchingLogitsProcessor):
    """Chooses for every row of a batch by the ``sampling`` that its request was added with."""

    # The adapter is for ``steps``; but who is asked which things a request may be given with is this.
    supported_kwargs: dict[str, type] = {"sampling": Sampling, "adapter": Served}
    ignored_kwargs: tuple[str, ...] = ()

    def __init__(self, ends: Sequence[int]):
        """``ends`` are the tokens that end an answer."""
        self._ends = list(ends)
        self._rows: list[Sampling] = []
        self._unproven: list[int] = []
        """Rows with an adapter that come for the first time."""

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[FutureRequestState]) -> torch.Tensor:
        """Called before each step with the requests whose rows come; what it returns is not used."""
        given = [request.state.logit_processor_kwargs for request in requests_with_new_token]
        self._rows = [one["sampling"] for one in given]
        self._unproven = [
            index for index, one in enumerate(given) if "adapter" in one and not one["sampling"].made
        ]
        return torch.zeros(len(self._rows), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        del tensor_arg
        rows = self._rows
        self._prove(scores)
        self._penalise(scores)
        self._withhold_ends(scores)
        for group in _groups(rows, scores.shape[1]):
            chosen = choose(scores[group], [rows[index] for index in group])
            scores[group, chosen] = math.inf
        self._remember(scores)
        return scores

    def _prove(self, scores: torch.Tensor) -> None:
        """Once a request, since the answer has to be waited for: later ones of a sound adapter are sound."""
        if self._unproven:
            proven = scores[self._unproven].isfinite().all(1).tolist()
            for index, is_sound in zip(self._unproven, proven, strict=True):
                self._rows[index].is_lost = not is_sound

    def _penalise(self, scores: torch.Tensor) -> None:
        for index, sampling in enumerate(self._rows):
            if sampling.is_penalised and sampling.counts:
                tokens = torch.tensor(list(sampling.counts), device=scores.device)
                scores[index, tokens] -= torch.tensor(sampling.penalties(), device=scores.device)

    def _withhold_ends(self, scores: torch.Tensor) -> None:
        early = [index for index, sampling in enumerate(self._rows) if not sampling.may_end]
        if early and self._ends:
            ends = torch.tensor(self._ends, device=scores.device)
            scores[torch.tensor(early, device=scores.device)[:, None], ends] = -math.inf

    def _remember(self, scores: torch.Tensor) -> None:
        for index, sampling in enumerate(self._rows):
            sampling.made += 1
            if sampling.is_penalised:
                sampling.counts[int(scores[index].argmax())] += 1


def processors(sampler: Sampler) -> ContinuousBatchingLogitsProcessorList:
    """The sampler as the manager's only processor, with the one row of arguments that every processor has."""
    made = ContinuousBatchingLogitsProcessorList(LogitsProcessorList([sampler]))
    made.tensors_required = 1
    return made


def choose(scores: torch.Tensor, rows: Sequence[Sampling]) -> torch.Tensor:
    """One token for each row: of the ``top_k`` best, the fewest with ``top_p`` together, one by chance.

    One random number a row walks along the summed probabilities, so that a request's chance does not depend
    on how many others there are. A row has at least one candidate, whatever its parameters.
    """
    device, vocabulary = scores.device, scores.shape[1]
    limits = [min(row.top_k or vocabulary, vocabulary) for row in rows]
    best, tokens = torch.topk(scores, max(limits))
    column = _columns([row.temperature for row in rows], device)
    # The best score is taken off first: a tiny temperature must not make infinities of large scores.
    weights = ((best - best[:, :1]).double() / column).exp()
    weights[torch.arange(best.shape[1], device=device) >= _columns(limits, device)] = 0
    before = weights.cumsum(1) - weights
    total = weights.sum(1, keepdim=True)
    weights[before >= _columns([row.top_p for row in rows], device) * total] = 0
    sums = weights.cumsum(1)
    drawn = _columns([row.draw() for row in rows], device) * sums[:, -1:]
    places = (sums <= drawn).sum(1, keepdim=True)
    last = (weights > 0).sum(1, keepdim=True) - 1
    return tokens.gather(1, torch.minimum(places, last).clamp_min(0)).squeeze(1)


def _groups(rows: Sequence[Sampling], vocabulary: int) -> list[list[int]]:
    """The rows that are drawn, apart by how much of the vocabulary they need."""
    narrow: list[int] = []
    wide: list[int] = []
    for index, row in enumerate(rows):
        if row.is_random:
            (narrow if 0 < row.top_k <= min(NARROW, vocabulary) else wide).append(index)
    return [group for group in (narrow, wide) if group]


def _columns(values: Sequence[float], device: torch.device) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, device=device)[:, None]


def _require(holds: bool, name: str, value: float, wanted: str) -> None:
    if not holds:
        raise ValueError(f"{name} must be {wanted}, not {value}")
