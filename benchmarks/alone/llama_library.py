"""The library by itself, for ``benchmarks.llama``: the continuous batching manager and plain ``generate``.

Runs where torch is (see ``answering``).
"""

import os
import statistics
import time
from pathlib import Path
from typing import Any

import llama
import torch
from answering import answer
from transformers import AutoModelForCausalLM, ContinuousBatchingConfig, GenerationConfig

SAMPLING = {"do_sample": True, "temperature": 0.6, "top_k": 50, "top_p": 0.9}


def make(folder: str, width: int, layers: int) -> None:
    """A checkpoint of that size, with random weights."""
    Path(folder).mkdir(parents=True)
    llama.make(Path(folder), width=width, layers=layers)


class Alone:
    """A loaded model, to be used in one of two ways; ``slots`` are for the manager."""

    def __init__(self, folder: str, slots: int | None = None):
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        gpu = torch.cuda.is_available()
        placed = {"dtype": torch.bfloat16, "device_map": {"": 0}} if gpu else {"dtype": torch.float32}
        self._model = AutoModelForCausalLM.from_pretrained(folder, **placed)
        self._chance = torch.Generator().manual_seed(0)
        if slots is not None:
            self._start(slots, gpu=gpu)

    def _start(self, slots: int, *, gpu: bool) -> None:
        sizes: dict[str, Any] = {} if gpu else {"num_blocks": 512, "page_size": 64, "max_batch_tokens": 256}
        self._manager = self._model.init_continuous_batching(
            generation_config=GenerationConfig(eos_token_id=-1, **SAMPLING),
            continuous_batching_config=ContinuousBatchingConfig(max_requests_per_batch=slots, **sizes),
        )
        self._manager.warmup()
        self._manager.start()

    def manager(self, streams: int, tokens: int, prompt_tokens: int) -> dict[str, float]:
        """All at once; each token is taken as it comes."""
        begun, first = Begun(), {}
        for prompt in self._prompts(streams, prompt_tokens):
            self._manager.add_request(prompt, max_new_tokens=tokens, streaming=True)
        open_ones = streams
        while open_ones:
            output = self._manager.get_result(timeout=60)
            first.setdefault(output.request_id, begun.gone_s)
            open_ones -= output.is_finished()
        return _figures(streams * tokens, begun, list(first.values()))

    def generate(self, streams: int, tokens: int, prompt_tokens: int) -> dict[str, float]:
        """As one batch of equal prompts; there is no token before all are there."""
        rows = torch.tensor(self._prompts(streams, prompt_tokens), device=self._model.device)
        begun = Begun()
        self._model.generate(
            rows,
            attention_mask=torch.ones_like(rows),
            min_new_tokens=tokens,
            max_new_tokens=tokens,
            **SAMPLING,
        )
        return _figures(streams * tokens, begun, [begun.gone_s])

    def _prompts(self, streams: int, tokens: int) -> list[list[int]]:
        return torch.randint(10, 2000, (streams, tokens), generator=self._chance).tolist()


class Begun:
    """When something began, on the clock and in this process's CPU time."""

    def __init__(self) -> None:
        self._clock_s, self._cpu_s = time.perf_counter(), time.process_time()

    @property
    def gone_s(self) -> float:
        return time.perf_counter() - self._clock_s

    @property
    def cpu_s(self) -> float:
        return time.process_time() - self._cpu_s


def _figures(tokens: int, begun: Begun, first: list[float]) -> dict[str, float]:
    return {
        "rate": tokens / begun.gone_s,
        "first_ms": 1000 * statistics.median(first),
        "cpu_us": 1e6 * begun.cpu_s / tokens,
    }


def main() -> None:
    loaded: list[Alone] = []
    answer(
        {
            "make": make,
            "load": lambda **given: loaded.append(Alone(**given)),
            "manager": lambda **given: loaded[0].manager(**given),
            "generate": lambda **given: loaded[0].generate(**given),
        }
    )


if __name__ == "__main__":
    main()
