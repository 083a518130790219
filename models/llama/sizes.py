"""How much memory adapters and the cache of keys and values take, and so how many tokens can be in work.

Called by ``predict`` after the weights are loaded. First room is left for adapters: for each place twice what
an adapter of ``served.RANK`` takes, since those of a step are also put together for it. All places take at
most ``ADAPTER_SHARE`` of what is free; if that is too little, there are fewer. On several GPUs the one counts
that has most of each adapter. The cache then takes its share of the rest. The manager's own default takes
most of what is free, which on a CPU is memory that others need.
"""

from dataclasses import dataclass
from typing import Any

import psutil
import torch
from served import place_bytes_at_most

PAGE_TOKENS = 64
GPU_SHARE = 0.85
CPU_SHARE = 0.25
ADAPTER_SHARE = 0.2
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
    place_bytes: int
    """Of an adapter."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    slots: int
    page_tokens: int
    pages: int
    batch_tokens: int
    limit_tokens: int
    """The most tokens that one request may have, prompt and answer together."""
    places: int
    """How many adapters can be in memory."""


def plan(shape: Shape, *, free_bytes: int, slots: int, places: int, on_gpu: bool) -> Sizes:
    """The sizes for a machine with so much free memory; ``MemoryError`` where one page does not fit.

    There are as many ``places`` for adapters as are asked for, or as fit; one at least, if any is asked for.
    """
    batch_tokens = max(slots, min(GPU_BATCH_TOKENS if on_gpu else CPU_BATCH_TOKENS, shape.context_tokens))
    room = 2 * shape.place_bytes
    places = min(places, max(1, int(free_bytes * ADAPTER_SHARE) // room)) if room else places
    budget = int((free_bytes - places * room) * (GPU_SHARE if on_gpu else CPU_SHARE))
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
        places=places,
    )


def measure(model: Any, *, slots: int, places: int) -> Sizes:
    """The sizes for a loaded model, from what is free now where it lies."""
    devices = {parameter.device for parameter in model.parameters()}
    gpus = [device for device in devices if device.type == "cuda"]
    # Every device holds pages for all layers (see ``devices``), so the fullest one decides.
    free = min((torch.cuda.mem_get_info(gpu)[0] for gpu in gpus), default=psutil.virtual_memory().available)
    return plan(shape_of(model), free_bytes=free, slots=slots, places=places, on_gpu=bool(gpus))


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
        place_bytes=place_bytes_at_most(model),
    )
