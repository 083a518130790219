"""Llama's engine by itself with adapters beside its layers, for ``benchmarks.adapters``.

Runs where torch is (see ``answering``).
"""

import asyncio
import time
from pathlib import Path

import llama
import torch
from answering import answer
from archive import Adapter
from engine import Engine
from loading import limit_threads, load
from lora import Shape, layers_of, names_of
from sampling import Sampling
from served import Served, prepare, put
from sizes import measure as sizes_of

SLOTS = 64
PROMPT_TOKENS = 30


def make(folder: str, width: int, layers: int) -> None:
    """A checkpoint of that size, with random weights."""
    Path(folder).mkdir(parents=True)
    llama.make(Path(folder), width=width, layers=layers)


class Loaded:
    """The engine, on an event loop that lives as long, and random adapters of one rank beside all layers."""

    def __init__(self, folder: str, adapters: int, rank: int):
        limit_threads()
        self._chance = torch.Generator().manual_seed(0)
        self._model = load(Path(folder)).model
        self._adapters = [self._adapter(f"{number:064x}", rank) for number in range(adapters)]
        self._runner = asyncio.Runner()
        self._engine = self._runner.run(self._start(adapters))

    def measure(self, adapters: int, streams: int, tokens: int) -> dict[str, float]:
        """Streams that take the adapters in turn; tokens a second, by the clock and by this process's CPU."""
        begun, begun_cpu = time.perf_counter(), time.process_time()
        self._runner.run(self._all(adapters, streams, tokens))
        made = streams * tokens
        return {
            "rate": made / (time.perf_counter() - begun),
            "cpu_rate": made / (time.process_time() - begun_cpu),
        }

    async def _start(self, places: int) -> Engine:
        return Engine(self._model, sizes=sizes_of(self._model, slots=SLOTS, places=places), ends=[])

    async def _all(self, adapters: int, streams: int, tokens: int) -> None:
        chosen = [self._adapters[number % adapters] if adapters else None for number in range(streams)]
        prompts = torch.randint(10, 2000, (streams, PROMPT_TOKENS), generator=self._chance).tolist()
        async with asyncio.TaskGroup() as group:
            for prompt, adapter in zip(prompts, chosen, strict=True):
                group.create_task(self._stream(prompt, tokens, adapter))

    async def _stream(self, prompt: list[int], tokens: int, adapter: Served | None) -> None:
        sampling = Sampling(
            temperature=0.6,
            top_p=0.9,
            top_k=50,
            presence_penalty=0,
            frequency_penalty=0,
            min_tokens=tokens,
            max_tokens=tokens,
            seed=None,
        )
        async for _ in self._engine.tokens(prompt, sampling, adapter=adapter):
            pass

    def _adapter(self, digest: str, rank: int) -> Served:
        tensors: dict[str, torch.Tensor] = {}
        for name, layer in layers_of(self._model).items():
            down, up = names_of(name)
            tensors[down] = torch.randn(rank, layer.in_features, generator=self._chance) * 0.02
            tensors[up] = torch.randn(layer.out_features, rank, generator=self._chance) * 0.02
        adapter = Adapter(Shape(rank=rank, alpha=rank), tensors)
        return put(self._model, prepare(self._model, adapter, digest))


def main() -> None:
    loaded: list[Loaded] = []
    answer(
        {
            "make": make,
            "load": lambda **given: loaded.append(Loaded(**given)),
            "measure": lambda **given: loaded[0].measure(**given),
        }
    )


if __name__ == "__main__":
    main()
