"""Fine-tuning: lines of prompts and answers in, an adapter out that makes a new version of this model.

The inputs have the names of Replicate's own Llama trainers. ``lessons`` reads the data, ``training`` teaches,
``archive`` keeps; here they are put together, and what happens is told. Each checkpoint is yielded as it is
made, so that an interrupted training can go on from its last; what is yielded last becomes the version.
"""

import math
import os
from collections.abc import Iterator
from typing import Any

import torch
from archive import Adapter, Progress, read_adapter, read_progress, write
from cog import BaseModel, Input, Path, current_scope
from lessons import Course, Reader, digest
from loading import checkpoint, context_tokens, limit_threads, load, load_tokenizer
from lora import Shape, targets_in
from taught import attach, begin, fill, parameters
from telling import Teller
from training import Method, Training

WEIGHTS = "adapter.tar"
RANK = 8
CHECKPOINTS = 10
"""So many in a training, unless asked otherwise."""


class Trained(BaseModel):
    weights: Path


def train(
    train_data: Path = Input(
        description='What to learn, a JSON object a line: {"prompt", "completion"}, {"messages"} or {"text"}.'
    ),
    validation_data: Path = Input(
        default=None, description="Lines of the same form that are not learned; their loss is told."
    ),
    num_train_epochs: int = Input(default=1, ge=1, description="How often each line is learned."),
    train_batch_size: int = Input(default=4, ge=1, description="How many lines make a step."),
    micro_batch_size: int = Input(
        default=4, ge=1, description="How many of them are in memory at once; fewer take longer."
    ),
    learning_rate: float = Input(default=1e-4, ge=0, description="The highest, after the warm-up."),
    lr_scheduler_type: str = Input(
        default="cosine",
        choices=["constant", "cosine", "linear"],
        description="How the learning rate goes down.",
    ),
    warmup_ratio: float = Input(
        default=0.03, ge=0, le=1, description="In which part of the steps the learning rate rises."
    ),
    weight_decay: float = Input(default=0.0, ge=0, description="How much weights shrink by themselves."),
    max_grad_norm: float = Input(default=1.0, ge=0, description="Longer gradients are clipped to this."),
    lora_rank: int = Input(
        default=None,
        ge=1,
        le=512,
        description="How much the adapter can hold; 8, or as of the version trained.",
    ),
    lora_alpha: float = Input(
        default=None, ge=0, description="How strongly it acts; twice the rank, or as of the version trained."
    ),
    lora_dropout: float = Input(
        default=0.05,
        ge=0,
        le=0.9,
        description="Which part of what an adapter sees is left out while it learns.",
    ),
    lora_target_modules: str = Input(
        default="q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj",
        description="Beside which layers there are adapters, with commas between.",
    ),
    max_sequence_length: int = Input(
        default=2048,
        ge=8,
        description="Tokens a line may have. Of longer ones the end is left out; text is split.",
    ),
    system_prompt: str = Input(
        default="You are a helpful assistant.", description="Goes before each prompt that has a completion."
    ),
    prompt_template: str = Input(
        default="",
        description="The whole prompt, with {prompt} and {system_prompt}; empty is the model's own.",
    ),
    checkpoint_steps: int = Input(
        default=0, ge=0, description="Steps from one checkpoint to the next; 0 makes ten in the training."
    ),
    resume_from: Path = Input(
        default=None, description="A checkpoint of the same training, which then goes on from there."
    ),
    seed: int = Input(default=42, description="The same seed and inputs give the same adapter."),
) -> Iterator[Trained]:
    limit_threads()
    folder = checkpoint()
    reader = Reader(  # first, since weights take long to load, and data may be wrong
        tokenizer=load_tokenizer(folder),
        most_tokens=min(max_sequence_length, context_tokens(folder)),
        system_prompt=system_prompt,
        prompt_template=prompt_template,
    )
    course = Course(
        lessons=reader.read(train_data, "train_data"),
        batch=train_batch_size,
        epochs=num_train_epochs,
        seed=seed,
    )
    unseen = reader.read(validation_data, "validation_data") if validation_data else []
    start = _start(resume_from)
    model = load(folder, quantisation=os.environ.get("LLAMA_QUANTIZE") or "none").model
    shape = _shape(model, start, rank=lora_rank, alpha=lora_alpha, targets=lora_target_modules)
    pairs = attach(model, shape, dtype=torch.float32, dropout=lora_dropout)
    begin(pairs, seed=seed)
    if start:
        fill(pairs, start.tensors)
    method = Method(
        learning_rate=learning_rate,
        schedule=lr_scheduler_type,
        warmup_ratio=warmup_ratio,
        weight_decay=weight_decay,
        most_gradient=max_grad_norm,
        micro_batch=micro_batch_size,
    )
    training = Training(model, pairs, course, method)
    begun_with = {"train_data": digest(course.lessons), "train_batch_size": train_batch_size, "seed": seed}
    if resume_from:
        _resume(training, read_progress(resume_from), begun_with)
    teller = Teller(course, current_scope().record_metric)
    teller.begin(parameters=sum(map(torch.numel, parameters(pairs).values())), done=training.done)
    every = checkpoint_steps or math.ceil(course.steps / CHECKPOINTS)
    for number in _milestones(training, teller, every=every):
        if unseen:
            teller.validation(number, training.loss_of(unseen))
        progress = Progress(begun_with, number, training.moments())
        write(WEIGHTS, Adapter(shape, training.adapter()), progress)
        teller.checkpoint(number)
        yield Trained(weights=Path(WEIGHTS))


def _milestones(training: Training, teller: Teller, *, every: int) -> Iterator[int]:
    """Learns; the numbers of the steps after which what was learned is to be kept."""
    for step in training.steps():
        teller.step(step)
        if step.number % every == 0 or step.number == training.total:
            yield step.number


def _start(resume_from: Path | None) -> Adapter | None:
    """What it begins with: a checkpoint's adapter, else that of the version trained, if it has one."""
    known = resume_from or os.environ.get("COG_WEIGHTS")
    return read_adapter(Path(known)) if known else None


def _shape(
    model: Any, start: Adapter | None, *, rank: int | None, alpha: float | None, targets: str
) -> Shape:
    if start is None:
        names = targets_in(model, [name.strip() for name in targets.split(",")])
        rank = rank or RANK
        return Shape(rank=rank, alpha=alpha or 2.0 * rank, targets=names)
    for name, given, known in (
        ("lora_rank", rank, start.shape.rank),
        ("lora_alpha", alpha, start.shape.alpha),
    ):
        if given not in (None, known):
            raise ValueError(
                f"{name} is {known:g} in the adapter that is to learn more; it cannot be {given:g}."
            )
    return start.shape


def _resume(training: Training, progress: Progress, begun_with: dict[str, Any]) -> None:
    for name, value in begun_with.items():
        if progress.begun_with.get(name) != value:
            raise ValueError(
                f"resume_from is a checkpoint of a training with another {name}, so this one cannot go on"
                " from it. To teach a trained version more, train that version."
            )
    if progress.step >= training.total:
        raise ValueError(
            f"resume_from has learned all {progress.step} steps already; give more num_train_epochs."
        )
    training.resume(progress.moments, done=progress.step)
