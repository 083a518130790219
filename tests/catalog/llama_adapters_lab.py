"""What ``test_llama_adapters`` asks of models/llama; runs in the lab (see ``lab``)."""

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import llama_lab
import prompts
import torch
from archive import Adapter, Progress, read_adapter, write
from engine import Engine
from llama_places_lab import digests as digests
from llama_places_lab import kept as kept
from llama_places_lab import loaded_once as loaded_once
from llama_places_lab import refused as refused
from llama_places_lab import waiting as waiting
from loading import load
from lora import TARGETS, Shape, layers_of, names_of
from places import Places
from served import Beside, Served, Span, prepare
from sizes import Sizes
from steps import follow
from taught import attach, fill

PAGE_TOKENS = 16
Weights = Path | None


def write_adapter(
    checkpoint: str,
    path: str,
    *,
    seed: int,
    rank: int = 4,
    targets: list[str] | None = None,
    strength: float = 0.3,
) -> None:
    """An adapter that changes what the model says, unlike one of another seed."""
    shape = Shape(rank=rank, alpha=2.0 * rank, targets=tuple(targets or TARGETS))
    chance = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, layer in layers_of(load(Path(checkpoint)).model, shape.targets).items():
        down, up = names_of(name)
        tensors[down] = strength * torch.randn(rank, layer.in_features, generator=chance)
        tensors[up] = strength * torch.randn(layer.out_features, rank, generator=chance)
    write(path, Adapter(shape, tensors), Progress({}, 1, {}))


def mixed(checkpoint: str, adapters: list[str], *, count: int, batch_tokens: int, pages: int) -> list[Any]:
    """Requests with the adapters in turn, each beginning while others go on: which, what it made, what is
    right: what plain ``generate`` makes with the adapter alone, in the form that is taught.
    """
    chance = random.Random(3)
    asked = []
    for number in range(count):
        size = chance.choice([1, 9, 40, 150])
        prompt = [0, *(chance.randrange(10, 2000) for _ in range(size))]
        asked.append((prompt, chance.randrange(5, 50), number % (len(adapters) + 1)))
    files: list[Weights] = [None, *map(Path, adapters)]
    right = [_alone(checkpoint, files[which], prompt, most) for prompt, most, which in asked]

    async def all_of_them(engine: Engine, shelf: Places) -> list[list[int]]:
        begun = [asyncio.Event() for _ in asked]

        async def one(number: int) -> list[int]:
            prompt, most, which = asked[number]
            if number:
                await begun[number - 1].wait()
            made: list[int] = []
            async with shelf.use(files[which]) as adapter:
                sampling = llama_lab._sampling(max_tokens=most)
                async for tokens in engine.tokens(prompt, sampling, adapter=adapter):
                    made += tokens
                    if len(made) >= 2:
                        begun[number].set()
            begun[number].set()
            return made

        return await asyncio.gather(*(one(number) for number in range(count)))

    made = _served(checkpoint, all_of_them, batch_tokens=batch_tokens, pages=pages)
    return [[which, *both] for (_, _, which), *both in zip(asked, made, right, strict=True)]


def in_turn(checkpoint: str, order: list[str | None]) -> dict[str, list[Any]]:
    """A prompt of several pages, asked one time after the other in one instance, and what is right each time.

    ``shared`` is how many of the prompt's tokens each request did not have to read, since pages had them.
    """
    prompt = [0, *(random.Random(5).randrange(10, 2000) for _ in range(5 * PAGE_TOKENS))]
    files: list[Weights] = [Path(path) if path else None for path in order]
    shared: list[int] = []

    async def one_by_one(engine: Engine, shelf: Places) -> list[list[int]]:
        cache = engine._manager.batch_processor.cache
        search = cache.search_prefix_match

        def look(name: str, tokens: list[int]) -> int:
            shared.append(search(name, tokens))
            return shared[-1]

        cache.search_prefix_match = look
        made = []
        for file in files:
            async with shelf.use(file) as adapter:
                made.append([])
                async for tokens in engine.tokens(prompt, llama_lab._sampling(), adapter=adapter):
                    made[-1] += tokens
        return made

    made = _served(checkpoint, one_by_one)
    right = [_alone(checkpoint, file, prompt, llama_lab.PLAIN["max_tokens"]) for file in files]
    return {"made": made, "right": right, "shared": shared}


def _served(
    checkpoint: str,
    act: Callable[[Engine, Places], Awaitable[Any]],
    *,
    batch_tokens: int = 64,
    pages: int = 256,
    most: int = 16,
) -> Any:
    loaded = load(Path(checkpoint))
    size = Sizes(
        slots=16,
        page_tokens=PAGE_TOKENS,
        pages=pages,
        batch_tokens=batch_tokens,
        limit_tokens=1024,
        places=most,
    )

    async def serve() -> Any:
        engine = Engine(loaded.model, sizes=size, ends=loaded.ends)
        try:
            return await act(engine, Places(loaded.model, most=most))
        finally:
            engine.stop()

    return asyncio.run(serve())


def _alone(checkpoint: str, weights: Weights, prompt: list[int], most: int) -> list[int]:
    return llama_lab._generate(_taught(checkpoint, weights), prompt, most)


def _taught(checkpoint: str, weights: Weights) -> Any:
    """The model with an adapter in the form in which it is taught."""
    model = load(Path(checkpoint)).model
    if weights:
        adapter = read_adapter(weights)
        fill(attach(model, adapter.shape, dtype=torch.float32), adapter.tensors)
    return model


def beside(checkpoint: str, adapters: list[str], *, each: int, tokens: int) -> dict[str, Any]:
    """One layer in a step whose first tokens have adapters: how far it is from what it should be.

    ``plain`` is whether the other tokens have what they have without any adapter, to the last bit.
    """
    model = load(Path(checkpoint)).model
    layer = model.model.layers[1].self_attn.q_proj
    given = torch.randn(1, tokens, layer.in_features, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        base = layer(given)
        spans = [
            Span(_prepared(model, Path(path)), number * each, (number + 1) * each)
            for number, path in enumerate(adapters)
        ]
        acting = Beside(model)
        acting.begin(spans, tokens=tokens)
        found = layer(given)
        acting.begin([], tokens=tokens)
        hooks = sum(len(one._forward_hooks) for one in model.modules())
        after = layer(given)
        wanted = base.clone()
        for span, path in zip(spans, adapters, strict=True):
            own = _taught(checkpoint, Path(path)).model.layers[1].self_attn.q_proj
            wanted[0, span.begin : span.end] = own(given[:, span.begin : span.end])
    used = len(adapters) * each
    return {
        "far": float((found - wanted).abs().max()),
        "changed": float((found - base)[0, :used].abs().min(0).values.max()),
        "plain": torch.equal(found[0, used:], base[0, used:]),
        "after": torch.equal(after, base),
        "hooks": hooks,
        "copied": copy.deepcopy(spans[0].adapter) is not spans[0].adapter,
    }


def _prepared(model: Any, path: Path) -> Served:
    return prepare(model, read_adapter(path), path.name)


def answers(checkpoint: str, adapters: list[str | None], prompt: str, most: int) -> list[str]:
    """What each says to the prompt, by plain ``generate``."""
    tokenizer = load(Path(checkpoint)).tokenizer
    given = {"prompt": prompt, "system_prompt": "", "prompt_template": "", "messages": ""}
    tokens = prompts.render(tokenizer, **given)
    made = [_alone(checkpoint, Path(path) if path else None, tokens, most) for path in adapters]
    return [tokenizer.decode(one, skip_special_tokens=True) for one in made]


def strange_manager() -> str:
    """What is said of a manager that is not the one that we know."""

    def prepare_batch_tensors(batch: list[Any]) -> None:
        raise AssertionError(batch)

    steps = SimpleNamespace(prepare_batch_tensors=prepare_batch_tensors)
    try:
        follow(SimpleNamespace(inputs_and_outputs=steps, cache=SimpleNamespace()), None)
    except RuntimeError as error:
        return str(error)
    return "nothing"
