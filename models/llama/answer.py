"""One prediction's answer: tokens come in, pieces of text go out, and what it took is counted.

``predict`` makes one for each prediction and records its ``metrics`` when it is over, however it ended.
"""

import time
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing

from text import Decode, Detokenizer, Stops


class Answer:
    """``begun`` is when the prediction began, by ``time.perf_counter``; ``ends`` are tokens that are no text."""

    def __init__(self, *, prompt_tokens: int, begun: float, ends: Collection[int]):
        self._prompt_tokens = prompt_tokens
        self._begun = begun
        self._ends = frozenset(ends)
        self._made = 0
        self._first_s: float | None = None

    async def pieces(
        self, batches: AsyncGenerator[list[int]], *, decode: Decode, stop_sequences: Sequence[str]
    ) -> AsyncGenerator[str]:
        """The text as it is settled; the tokens are not asked for any longer than they are needed."""
        detokenizer, stops = Detokenizer(decode), Stops(stop_sequences)
        async with aclosing(batches):
            async for tokens in batches:
                self._count(tokens)
                piece = stops.push(detokenizer.push([token for token in tokens if token not in self._ends]))
                if piece:
                    yield piece
                if stops.reached:
                    return
        if rest := stops.rest():
            yield rest

    def metrics(self) -> dict[str, float]:
        """By the names that the published model gives them; times in seconds."""
        taken_s = time.perf_counter() - self._begun
        found: dict[str, float] = {
            "input_token_count": self._prompt_tokens,
            "output_token_count": self._made,
            "tokens_per_second": self._made / taken_s if taken_s else 0.0,
        }
        return found if self._first_s is None else found | {"time_to_first_token": self._first_s}

    def _count(self, tokens: Sequence[int]) -> None:
        if tokens and self._first_s is None:
            self._first_s = time.perf_counter() - self._begun
        self._made += len(tokens)
