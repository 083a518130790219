"""The cache of keys and values for a model whose layers lie on several GPUs.

The manager keeps all pages in one tensor on one device, and a layer elsewhere could not read them.
``spread`` gives every other device a tensor of the same form, so that the page numbers hold everywhere.
Each device then has room for all layers and uses that of its own: memory for speed, since nothing but page
numbers travels.
"""

from typing import Any

import torch
from transformers.generation.continuous_batching.cache import PagedAttentionCache


def layer_devices(model: Any) -> dict[int, torch.device]:
    """Where each decoder layer's weights are."""
    return {number: next(layer.parameters()).device for number, layer in enumerate(model.model.layers)}


def spread(cache: PagedAttentionCache, devices: dict[int, torch.device]) -> None:
    """Gives each layer's pages to its device; call it before the first request."""
    for allocator in cache.cache_allocators.values():
        copies: dict[torch.device, torch.Tensor] = {}
        for layer, views in allocator._kv_token_views.items():
            device = devices[layer]
            if device != cache.cache_tensor.device:
                copy = copies.setdefault(device, torch.zeros_like(allocator.cache_tensor, device=device))
                allocator._kv_token_views[layer] = _same_place(views, copy)
                allocator._kv_page_views[layer] = _same_place(allocator._kv_page_views[layer], copy)


def _same_place(
    views: tuple[torch.Tensor, torch.Tensor], copy: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    keys, values = (copy.as_strided(view.shape, view.stride(), view.storage_offset()) for view in views)
    return keys, values
