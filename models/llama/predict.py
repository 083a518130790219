"""Llama: text from a prompt, streamed, for many callers at once.

The inputs are those of the published model of the same name, with ``messages`` and ``replicate_weights`` as
additions of ours. Each prediction is one request to the ``Engine``; what belongs to one never reaches
another.
"""

import asyncio
import os
import time
from contextlib import aclosing

from answer import Answer
from cog import AsyncConcatenateIterator, BaseRunner, Input, Path, concurrent
from engine import Engine
from loading import checkpoint, decoder, limit_threads, load
from places import Places, load_always, wanted
from prompts import render
from sampling import Sampling
from sizes import measure

SLOTS = 64
"""So many predictions share the model."""


class Predictor(BaseRunner):
    async def setup(self, weights: Path | None = None) -> None:
        limit_threads()
        quantisation = os.environ.get("LLAMA_QUANTIZE") or "none"
        self.loaded = loaded = load(checkpoint(), quantisation=quantisation)
        self.decode = decoder(loaded.tokenizer)
        always = load_always(loaded.model, weights) if weights else None
        sizes = measure(loaded.model, slots=SLOTS, places=wanted())
        self.places = Places(loaded.model, most=sizes.places, always=always)
        self.engine = Engine(loaded.model, sizes=sizes, ends=loaded.ends)

    async def healthcheck(self) -> bool:
        if self.engine.failure is not None:
            raise RuntimeError(self.engine.failure)
        return True

    @concurrent(max=SLOTS)
    async def run(
        self,
        prompt: str = Input(default="", description="What to answer."),
        system_prompt: str = Input(
            default="You are a helpful assistant.",
            description="How to answer, for the chat template or prompt_template's {system_prompt}.",
        ),
        min_tokens: int = Input(default=0, description="The answer does not end before so many tokens."),
        max_tokens: int = Input(
            default=512, description="The answer has at most so many tokens, and ends where the context does."
        ),
        temperature: float = Input(
            default=0.6, description="How freely tokens are drawn; 0 always takes the likeliest."
        ),
        top_p: float = Input(
            default=0.9, description="Draw from the likeliest tokens that together have this probability."
        ),
        top_k: int = Input(default=50, description="Draw from so many of the likeliest tokens; 0 is all."),
        presence_penalty: float = Input(
            default=0, description="Taken off the score of each token that the answer has already."
        ),
        frequency_penalty: float = Input(
            default=0, description="Taken off a token's score for each time that the answer has it already."
        ),
        stop_sequences: str = Input(
            default="",
            description="Texts that end the answer and are not part of it, with commas between them.",
        ),
        prompt_template: str = Input(
            default="",
            description="The whole prompt, with {prompt} and {system_prompt}; empty is the model's own.",
        ),
        seed: int | None = Input(default=None, description="The same seed and inputs give the same answer."),
        max_new_tokens: int | None = Input(default=None, description="Older name of max_tokens; wins."),
        messages: str = Input(
            default="",
            description='A conversation as JSON, [{"role": "user", "content": "..."}, ...], instead of'
            " prompt and system_prompt. An addition of Stoker's.",
        ),
        replicate_weights: Path | None = Input(
            default=None,
            description="What a training of this model made (or PEFT: a tar of a plain LoRA), to answer with."
            " An addition of Stoker's.",
        ),
    ) -> AsyncConcatenateIterator[str]:
        begun = time.perf_counter()
        sampling = Sampling(
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            presence_penalty=presence_penalty,
            frequency_penalty=frequency_penalty,
            min_tokens=min_tokens,
            max_tokens=max_tokens if max_new_tokens is None else max_new_tokens,
            seed=seed,
        )
        texts = {"prompt": prompt, "system_prompt": system_prompt, "prompt_template": prompt_template}
        # In a thread: a long prompt takes a while, and the others' tokens must not wait for it.
        tokens = await asyncio.to_thread(render, self.loaded.tokenizer, messages=messages, **texts)
        sampling.max_tokens = min(sampling.max_tokens, self._room(len(tokens)))
        self.record_metric("input_token_count", len(tokens))
        answer = Answer(begun=begun, ends=self.loaded.ends, record=self.record_metric)
        try:
            async with self.places.use(replicate_weights) as adapter:
                pieces = answer.pieces(
                    self.engine.tokens(tokens, sampling, adapter=adapter),
                    decode=self.decode,
                    stop_sequences=stop_sequences.split(","),
                )
                async with aclosing(pieces):
                    async for piece in pieces:
                        yield piece
        finally:
            answer.close()

    def _room(self, prompt_tokens: int) -> int:
        """How many tokens an answer to this prompt may have."""
        room = self.engine.limit_tokens - prompt_tokens
        if room < 1:
            raise ValueError(
                f"The prompt is too long: it has {prompt_tokens} tokens, and this model takes at most"
                f" {self.engine.limit_tokens - 1}."
            )
        return room
