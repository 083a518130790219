"""Teaches an adapter: steps through a course, and gives how it goes and what to keep of it.

``train`` makes one ``Training`` and follows it. The base is never changed. Chance depends on the seed and the
step alone, so a training that goes on from a checkpoint ends as it would have ended without the break.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from lessons import Batch, Course, Lesson, parts
from lora import Tensors
from taught import Pairs, parameters, tensors
from torch.nn import functional

BETAS = (0.9, 0.999)
SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "linear": lambda done: 1 - done,
    "constant": lambda done: 1.0,
}
"""How much of the learning rate is left when so much of the training is done."""


@dataclass(frozen=True, kw_only=True)
class Method:
    learning_rate: float
    schedule: str
    warmup_ratio: float
    weight_decay: float
    most_gradient: float
    micro_batch: int


@dataclass(frozen=True, kw_only=True)
class Step:
    number: int
    loss: float
    learning_rate: float
    gradient: float
    """Its length before it was clipped."""
    tokens: int
    """How many were learned."""


class Training:
    def __init__(self, model: Any, pairs: Pairs, course: Course, method: Method):
        self._model = model
        self._pairs = pairs
        self._course = course
        self._method = method
        self._learned = parameters(pairs)
        model.requires_grad_(False)
        for parameter in self._learned.values():
            parameter.requires_grad_(True)
        # A block's insides are computed again on the way back: far less memory for a third more time.
        model.activation_checkpointing_enable({"use_reentrant": False})
        model.config.use_cache = False
        self._optimiser = torch.optim.AdamW(
            self._learned.values(),
            lr=method.learning_rate,
            betas=BETAS,
            weight_decay=method.weight_decay,
        )
        self._done = 0

    @property
    def done(self) -> int:
        """How many steps."""
        return self._done

    def steps(self) -> Iterator[Step]:
        """Takes the steps that are left, one by one; ``FloatingPointError`` where the loss is no number."""
        for number, batch in self._course.batches(after=self._done):
            torch.manual_seed(self._course.seed * 1_000_003 + number)
            yield self._step(number, batch)

    def loss_of(self, lessons: list[Lesson]) -> float:
        """How far the model is from what it should say, a token on average; nothing is learned."""
        self._model.eval()
        with torch.inference_mode():
            losses = [self._loss(part).item() for part in parts(lessons, self._method.micro_batch)]
        return math.fsum(losses) / sum(lesson.size for lesson in lessons)

    def moments(self) -> Tensors:
        """What the optimiser remembers of the steps so far."""
        found: Tensors = {}
        for name, parameter in self._learned.items():
            for kind in ("exp_avg", "exp_avg_sq"):
                if parameter in self._optimiser.state:
                    found[f"{name}.{kind}"] = self._optimiser.state[parameter][kind].to("cpu", copy=True)
        return found

    @property
    def total(self) -> int:
        """How many steps there are in all."""
        return self._course.steps

    def resume(self, moments: Tensors, *, done: int) -> None:
        """Goes on where a checkpoint was made; the adapter is that of the checkpoint already."""
        for name, parameter in self._learned.items():
            kept = {
                kind: moments[f"{name}.{kind}"].to(parameter.device) for kind in ("exp_avg", "exp_avg_sq")
            }
            self._optimiser.state[parameter] = {"step": torch.tensor(float(done)), **kept}
        self._done = done

    def adapter(self) -> Tensors:
        return tensors(self._pairs)

    def _step(self, number: int, batch: Batch) -> Step:
        self._model.train()
        count = sum(lesson.size for lesson in batch)
        rate = self._rate(number)
        losses: list[float] = []
        for part in parts(batch, self._method.micro_batch):
            loss = self._loss(part) / count
            loss.backward()
            losses.append(loss.item())
        total = math.fsum(losses)
        if not math.isfinite(total):
            raise FloatingPointError(f"The loss of step {number} is {total}; try a lower learning_rate.")
        gradient = torch.nn.utils.clip_grad_norm_(self._learned.values(), self._method.most_gradient)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        self._optimiser.zero_grad()
        self._done = number
        return Step(number=number, loss=total, learning_rate=rate, gradient=gradient.item(), tokens=count)

    def _rate(self, number: int) -> float:
        """Rises over the first steps, then falls as the schedule says; the last step still learns."""
        total = self._course.steps
        warmup = math.ceil(total * self._method.warmup_ratio)
        if number <= warmup:
            return self._method.learning_rate * number / warmup
        done = (number - 1 - warmup) / max(1, total - warmup)
        return self._method.learning_rate * SCHEDULES[self._method.schedule](done)

    def _loss(self, part: Batch) -> torch.Tensor:
        """The sum over all learned tokens. Scores are made for these alone: a vocabulary is large."""
        tokens, seen, learned = _tensors(part, self._model.get_input_embeddings().weight.device)
        hidden = self._model.model(input_ids=tokens, attention_mask=seen).last_hidden_state
        before = learned[:, 1:].to(hidden.device)
        scores = self._model.lm_head(hidden[:, :-1][before]).float()
        wanted = tokens[:, 1:].to(scores.device)[before.to(scores.device)]
        return functional.cross_entropy(scores, wanted, reduction="sum")


def _tensors(part: Batch, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens, which of them are no filling, and which are to be learned; all as wide as the longest."""
    width = max(len(lesson.tokens) for lesson in part)
    shape = (len(part), width)
    tokens = torch.zeros(shape, dtype=torch.long)
    seen = torch.zeros(shape, dtype=torch.long)
    learned = torch.zeros(shape, dtype=torch.bool)
    for row, lesson in enumerate(part):
        size = len(lesson.tokens)
        tokens[row, :size] = torch.tensor(lesson.tokens)
        seen[row, :size] = 1
        learned[row, :size] = torch.tensor(lesson.learned)
    return tokens.to(device), seen.to(device), learned.to(device)
