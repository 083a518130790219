"""Where adapters meet transformers' continuous batching manager: its steps, and pages that requests share.

``engine`` calls ``follow`` once, at the start. The manager flattens the tokens of all requests of a step into
one row, and lets requests share pages whose tokens are the same. So before each step those with an adapter
are put first, side by side, and ``Beside`` is told which tokens are whose; what pages are known by has the
adapter mixed in; and what goes into pages is bounded. All three are the manager's internals: if they are not
as expected, the start fails.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch
import transformers
from served import Beside, Served, Span
from transformers.generation.continuous_batching.continuous_api import ContinuousBatchProcessor
from transformers.generation.continuous_batching.requests import FutureRequestState


def name_of(number: int, adapter: Served | None) -> str:
    """The name of a request. Its adapter's digest is in it: the cache is told of names and tokens alone."""
    return f"{number}:{adapter.digest}" if adapter else f"{number}:"


def follow(processor: ContinuousBatchProcessor, beside: Beside) -> None:
    """From now on requests are served with the adapter that they were added with."""
    steps, cache = processor.inputs_and_outputs, processor.cache
    prepare = _known(steps, "prepare_batch_tensors", "requests_in_batch")

    def prepare_step(requests_in_batch: list[FutureRequestState], *args: Any, **named: Any) -> None:
        prepare(_arranged(requests_in_batch, beside), *args, **named)

    update = _known(cache, "update", "key_states", "value_states")

    def update_bounded(key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **named: Any) -> Any:
        beside.bound(key_states, value_states)
        return update(key_states, value_states, *args, **named)

    steps.prepare_batch_tensors = prepare_step
    cache.update = update_bounded
    _salt(cache, "search_prefix_match", "prompt_ids")
    for allocator in cache.cache_allocators.values():
        _salt(allocator, "mark_complete_blocks", "token_ids", "new_new_blocks")


def salted(name: str, tokens: list[int]) -> list[int]:
    """What a request's pages are known by instead of its tokens: never the same as another adapter's.

    The first tokens, on which the digests of all pages depend, have the adapter's digest mixed in. Pages of
    two adapters could only be taken for each other if eight words of their sha256 were the same but for the
    few bits that a token has.
    """
    words = _words(name.partition(":")[2])
    if not words:
        return tokens
    mixed = [token ^ word for token, word in zip(tokens, words, strict=False)]
    return [*mixed, *tokens[len(mixed) :]]


@functools.lru_cache(maxsize=64)
def _words(digest: str) -> tuple[int, ...]:
    """Of 31 bits, since the manager packs tokens as signed numbers of 32; none where there is no adapter."""
    return tuple(int(digest[at : at + 8], 16) >> 1 for at in range(0, len(digest), 8))


def _arranged(requests: list[FutureRequestState], beside: Beside) -> list[FutureRequestState]:
    """The requests of a step with those of each adapter side by side; ``beside`` is told where they are."""
    groups: dict[Served | None, list[FutureRequestState]] = {}
    for request in requests:
        groups.setdefault(request.state.logit_processor_kwargs.get("adapter"), []).append(request)
    plain = groups.pop(None, [])
    arranged: list[FutureRequestState] = []
    spans: list[Span] = []
    at = 0
    for adapter in sorted(filter(None, groups), key=lambda adapter: adapter.digest):
        arranged += groups[adapter]
        spans.append(Span(adapter, at, at := at + _tokens(groups[adapter])))
    beside.begin(spans, tokens=at + _tokens(plain))
    return [*arranged, *plain]


def _tokens(requests: list[FutureRequestState]) -> int:
    return sum(request.query_length for request in requests)


def _salt(owner: Any, method: str, *parameters: str) -> None:
    call = _known(owner, method, "request_id", *parameters)

    def call_salted(request_id: str, tokens: list[int], *args: Any) -> Any:
        return call(request_id, salted(request_id, tokens), *args)

    setattr(owner, method, call_salted)


def _known(owner: Any, method: str, *parameters: str) -> Callable[..., Any]:
    """The method, if it is there and takes these parameters first."""
    call = getattr(owner, method, None)
    found = list(inspect.signature(call).parameters) if call else []
    if found[: len(parameters)] != list(parameters):
        raise RuntimeError(
            f"This model does not know transformers {transformers.__version__}; take the one of"
            f" requirements.txt: {type(owner).__name__}.{method} takes ({', '.join(found)}) and not"
            f" ({', '.join(parameters)})."
        )
    return call
