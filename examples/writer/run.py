"""Writes on from a prompt in the manner of Python's manual, word by word."""

import random
import time

import manual
from cog import BaseRunner, ConcatenateIterator, Input, streaming
from ngrams import TOKEN, NGrams


class Runner(BaseRunner):
    def setup(self) -> None:
        """Learns the manual: this takes a second, so there are no weights to ship."""
        self.model = NGrams(manual.prose(), order=4)
        print(f"learnt {self.model.token_count} tokens, {self.model.vocabulary_size} of them different")

    @streaming
    def run(
        self,
        prompt: str = Input(description="Where to go on from", default="The with statement"),
        max_tokens: int = Input(
            description="Words and punctuation marks to write", default=128, ge=1, le=1_000_000
        ),
        temperature: float = Input(
            description="Below 1 keeps to the beaten track, above 1 leaves it", default=0.6, ge=0.1, le=2.0
        ),
        top_k: int = Input(
            description="Choose among this many of the likeliest words", default=50, ge=1, le=1000
        ),
        seed: int | None = Input(
            description="The same seed writes the same text; leave it out for a new one", default=None
        ),
    ) -> ConcatenateIterator[str]:
        if seed is None:
            seed = random.SystemRandom().randrange(2**31)
        print(f"Using seed: {seed}")
        tokens = self.model.sample(prompt, temperature=temperature, top_k=top_k, random=random.Random(seed))
        started = time.perf_counter()
        for count, token in enumerate(tokens, start=1):
            yield token
            if count == max_tokens:
                break
        self.record_metric("input_token_count", len(TOKEN.findall(prompt)))
        self.record_metric("output_token_count", max_tokens)
        self.record_metric("tokens_per_second", round(max_tokens / (time.perf_counter() - started), 1))
