"""How much memory the cache of keys and values takes, and so how many tokens can be in work at once.

Called by ``predict`` after the weights are loaded. The manager's own default takes most of what is free,
which on a CPU is memory that others need.
"""

from dataclasses import dataclass
from typing import Any

import psutil
import torch

PAGE_TOKENS = 64
GPU_SHARE = 0.85
CPU_SHARE = 0.25
CPU_MOST_TOKENS = 32_768
"""A CPU is too slow for more; one whole context is allowed in any case, if the memory is there."""
GPU_BATCH_TOKENS = 2048
CPU_BATCH_TOKENS = 256
_SCORE_BYTES = 32
"""A token of the vocabulary in a row of scores: itself, sorted, as a probability, summed."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What of a model decides the size of its cache; ``layer_bytes`` are those of one token in one layer."""

    layers: int
    layer_bytes: int
    peak_bytes: int
    mask_bytes: int
    vocabulary: int
    context_tokens: int


@dataclass(frozen=True, kw_only=True)
class Sizes:
    slots: int
    page_tokens: int
    pages: int
    batch_tokens: int
    limit_tokens: int
    """The most tokens that one request may have, prompt and answer together."""


def plan(shape: Shape, *, free_bytes: int, slots: int, on_gpu: bool) -> Sizes:
    """The sizes for a machine with so much free memory; ``MemoryError`` where one page does not fit."""
    batch_tokens = max(slots, min(GPU_BATCH_TOKENS if on_gpu else CPU_BATCH_TOKENS, shape.context_tokens))
    budget = int(free_bytes * (GPU_SHARE if on_gpu else CPU_SHARE))
    # A step's scores and activations. The attention mask is as high as a step and as wide as cache and step.
    budget -= slots * shape.vocabulary * _SCORE_BYTES
    budget -= batch_tokens * (batch_tokens * shape.mask_bytes + 2 * shape.peak_bytes)
    token_bytes = shape.layers * shape.layer_bytes + shape.peak_bytes + batch_tokens * shape.mask_bytes + 8
    wanted = slots * shape.context_tokens
    if not on_gpu:
        wanted = min(wanted, max(CPU_MOST_TOKENS, shape.context_tokens))
    pages = min(budget // token_bytes, wanted) // PAGE_TOKENS
    if pages < 1:
        raise MemoryError(
            f"After the weights {free_bytes >> 20} MiB are free; too little for a cache of keys and values"
            f" ({PAGE_TOKENS * token_bytes >> 10} KiB a page)."
        )
    return Sizes(
        slots=slots,
        page_tokens=PAGE_TOKENS,
        pages=pages,
        batch_tokens=batch_tokens,
        limit_tokens=min(shape.context_tokens, pages * PAGE_TOKENS),
    )


def measure(model: Any, *, slots: int) -> Sizes:
    """The sizes for a loaded model, from what is free now where it lies."""
    devices = {parameter.device for parameter in model.parameters()}
    gpus = [device for device in devices if device.type == "cuda"]
    # Every device holds pages for all layers (see ``devices``), so the fullest one decides.
    free = min((torch.cuda.mem_get_info(gpu)[0] for gpu in gpus), default=psutil.virtual_memory().available)
    return plan(shape_of(model), free_bytes=free, slots=slots, on_gpu=bool(gpus))


def shape_of(model: Any) -> Shape:
    config, item = model.config.get_text_config(), model.dtype.itemsize
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    groups = getattr(config, "num_key_value_heads", None) or heads
    return Shape(
        layers=config.num_hidden_layers,
        layer_bytes=2 * groups * width * item,
        peak_bytes=(2 * heads + groups) * width * item,
        mask_bytes=item,
        vocabulary=config.vocab_size,
        context_tokens=config.max_position_embeddings,
    )
