"""What ``test_llama_parts`` asks of models/llama; runs in the lab (see ``lab``)."""

import asyncio
import math
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import loading
import prompts
import torch
from devices import spread
from engine import Engine
from loading import decoder, load, placement
from sampling import Sampler, Sampling
from sizes import Shape, Sizes, plan
from transformers.generation.continuous_batching.requests import FutureRequestState, RequestState

PLAIN = {
    "temperature": 0.0,
    "top_p": 1.0,
    "top_k": 0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "min_tokens": 0,
    "max_tokens": 20,
    "seed": None,
}


async def until(holds: Callable[[], bool]) -> None:
    """Lets the loop turn until something holds that nobody is told of; for a minute at most."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - neither the manager nor the model has an event for it
            await asyncio.sleep(0)


def _sampling(**changes: Any) -> Sampling:
    return Sampling(**(PLAIN | changes))


def refusal(**changes: Any) -> str | None:
    """What is said to such parameters. JSON has no NaN: it comes as text."""
    try:
        _sampling(
            **{name: float(value) if isinstance(value, str) else value for name, value in changes.items()}
        )
    except ValueError as error:
        return str(error)
    return None


def steps(rows: list[dict[str, Any]], scores: list[list[float | None]], count: int) -> list[list[int]]:
    """The tokens that the sampler chooses in so many steps with the same scores; null is not a number."""
    requests = [
        RequestState(str(n), [1], logit_processor_kwargs={"sampling": _sampling(**row)})
        for n, row in enumerate(rows)
    ]
    futures = [FutureRequestState(request, True, {}, 1) for request in requests]
    table = torch.tensor([[math.nan if score is None else score for score in row] for row in scores])
    sampler = Sampler([0])
    chosen: list[list[int]] = [[] for _ in rows]
    for _ in range(count):
        arguments = sampler.prepare_tensor_args(futures)
        for row, token in zip(chosen, sampler(table.clone(), arguments).argmax(1).tolist(), strict=True):
            row.append(token)
    return chosen


def shares(row: dict[str, Any], scores: list[float], count: int) -> dict[str, float]:
    """How often each token is drawn."""
    found = Counter(token for tokens in steps([row] * 50, [scores] * 50, count // 50) for token in tokens)
    return {str(token): number / count for token, number in found.items()}


def sizes(free_bytes: int, slots: int, places: int, on_gpu: bool, **shape: int) -> dict[str, int]:
    return vars(plan(Shape(**shape), free_bytes=free_bytes, slots=slots, places=places, on_gpu=on_gpu))


def too_small(free_bytes: int, **shape: int) -> str:
    try:
        plan(Shape(**shape), free_bytes=free_bytes, slots=64, places=16, on_gpu=False)
    except MemoryError as error:
        return str(error)
    return ""


def placed(**asked: Any) -> dict[str, str] | str:
    """What a model is loaded with, or what is said against it."""
    try:
        return {name: str(value) for name, value in placement(**asked).items()}
    except (RuntimeError, ValueError) as error:
        return f"refused: {error}"


def refused_checkpoint(folder: str) -> str | None:
    """What is said against a folder with weights."""
    os.environ["STOKER_CHECKPOINT"] = folder
    try:
        loading.checkpoint()
    except RuntimeError as error:
        return str(error)
    finally:
        del os.environ["STOKER_CHECKPOINT"]
    return None


def decoded(checkpoint: str, texts: list[str]) -> list[list[str]]:
    """The text of each one's tokens, by the quick way and by the tokenizer's own."""
    tokenizer = load(Path(checkpoint)).tokenizer
    quick = decoder(tokenizer)
    rows = [tokenizer(text).input_ids for text in texts]
    own = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
    return [[quick(row), tokenizer.decode(row, **own)] for row in rows]


def rendered(checkpoint: str, template: str | None = None, **given: str) -> str:
    """The prompt's text as the model reads it, or what is said against it."""
    tokenizer = load(Path(checkpoint)).tokenizer
    if template is not None:
        tokenizer.chat_template = template or None
    try:
        tokens = prompts.render(
            tokenizer, **({"prompt": "", "system_prompt": "", "prompt_template": "", "messages": ""} | given)
        )
    except ValueError as error:
        return f"refused: {error}"
    return tokenizer.decode(tokens)


def greedy(
    checkpoint: str, *, pages: int, batch_tokens: int, count: int, spread_out: bool = False
) -> list[list[Any]]:
    """Of requests that come and go: length of the prompt, what the engine made, what ``generate`` made."""
    loaded = load(Path(checkpoint))
    chance = random.Random(7)
    asked = []
    for _ in range(count):
        prompt = [0, *(chance.randrange(10, 2000) for _ in range(chance.choice([1, 7, 40, 150, 300])))]
        asked.append((prompt, chance.randrange(3, 60)))
    alone = [_generate(loaded.model, prompt, most) for prompt, most in asked]
    size = Sizes(
        slots=16,
        page_tokens=16,
        pages=pages,
        batch_tokens=batch_tokens,
        limit_tokens=pages * 16,
        places=0,
    )
    together = asyncio.run(_together(loaded, size, asked, spread_out))
    return [[len(prompt), many, one] for (prompt, _), many, one in zip(asked, together, alone, strict=True)]


def _generate(model: Any, prompt: list[int], most: int) -> list[int]:
    row = torch.tensor([prompt])
    made = model.generate(row, attention_mask=torch.ones_like(row), max_new_tokens=most, do_sample=False)
    return made[0, len(prompt) :].tolist()


async def _together(
    loaded: Any, size: Sizes, asked: list[tuple[list[int], int]], spread_out: bool
) -> list[list[int]]:
    engine = Engine(loaded.model, sizes=size, ends=loaded.ends)
    if spread_out:  # "cpu:0" is no other memory than "cpu", but it is another device to torch
        spread(engine._manager.batch_processor.cache, {0: torch.device("cpu"), 1: torch.device("cpu", 0)})
    begun: list[asyncio.Event] = [asyncio.Event() for _ in asked]

    async def one(number: int) -> list[int]:
        # Each comes when the one before has made some tokens: so all are at different places.
        if number:
            await begun[number - 1].wait()
        made: list[int] = []
        async for tokens in engine.tokens(asked[number][0], _sampling(max_tokens=asked[number][1])):
            made += tokens
            if len(made) >= 2:
                begun[number].set()
        begun[number].set()
        return made

    try:
        return await asyncio.gather(*(one(number) for number in range(len(asked))))
    finally:
        engine.stop()


def freed(checkpoint: str) -> dict[str, int]:
    """Steps from a cancel until the request has left the batch, and what was in work before and after."""
    return asyncio.run(_freed(load(Path(checkpoint))))


async def _freed(loaded: Any) -> dict[str, int]:
    size = Sizes(slots=4, page_tokens=16, pages=64, batch_tokens=64, limit_tokens=1024, places=0)
    engine = Engine(loaded.model, sizes=size, ends=[])
    left, stays = (engine.tokens([0, 9, 9], _sampling(max_tokens=900)) for _ in range(2))
    await anext(left)
    await anext(stays)
    before = engine.running
    steps_before = engine._manager.current_batch
    await left.aclose()
    while engine.running > 1:
        await anext(stays)
    steps = engine._manager.current_batch - steps_before
    await stays.aclose()
    await until(lambda: not engine.running)
    streams = len(engine._streams)
    engine.stop()
    return {"before": before, "steps": steps, "streams": streams}


def read_late(checkpoint: str) -> dict[str, Any]:
    """What a reader gets who takes the first tokens and comes for more when all is over, well or not."""
    return asyncio.run(_read_late(load(Path(checkpoint))))


async def _read_late(loaded: Any) -> dict[str, Any]:
    size = Sizes(slots=4, page_tokens=16, pages=64, batch_tokens=64, limit_tokens=1024, places=0)
    engine = Engine(loaded.model, sizes=size, ends=[])
    tokens = engine.tokens([0, 9, 9], _sampling(max_tokens=30))
    made = await anext(tokens)
    (stream,) = engine._streams.values()
    await until(lambda: stream.is_over)
    async for fresh in tokens:
        made += fresh
    failing = engine.tokens([0, 9, 9], _sampling(max_tokens=900))
    await anext(failing)
    engine.stop()
    await until(lambda: engine.failure is not None)
    return {"count": len(made), "told": await _told(failing)}


def ended(checkpoint: str) -> dict[str, str]:
    """What running and later requests are told when the generation loop fails."""
    return asyncio.run(_ended(load(Path(checkpoint))))


async def _ended(loaded: Any) -> dict[str, str]:
    size = Sizes(slots=4, page_tokens=16, pages=64, batch_tokens=64, limit_tokens=1024, places=0)
    engine = Engine(loaded.model, sizes=size, ends=[])
    running = engine.tokens([0, 9, 9], _sampling(max_tokens=900))
    await anext(running)
    engine._manager.batch_processor.model_runner.compute_batch = _fail
    told = {"running": await _told(running)}
    await until(lambda: engine.failure is not None)
    return told | {"later": await _told(engine.tokens([0, 9], _sampling()))}


def _fail(*_: Any) -> None:
    raise MemoryError("no more of it")


async def _told(tokens: Any) -> str:
    try:
        async for _ in tokens:
            pass
    except Exception as error:  # noqa: BLE001 - the test is told
        return f"{type(error).__name__}: {error}"
    return "nothing"
