"""One prediction's answer: tokens come in, pieces of text go out, and what it took is counted.

``predict`` makes one for each prediction. What was counted is recorded as it grows: a prediction that is
cancelled is over at once, and has the metrics that it had then.
"""

import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from typing import Any

from text import Decode, Detokenizer, Stops

RECORD_EVERY_TOKENS = 16
"""A metric costs about as much as a piece of text."""


class Answer:
    """``begun`` is when the prediction began (``time.perf_counter``); ``ends`` are tokens but no text."""

    def __init__(self, *, begun: float, ends: Collection[int], record: Callable[[str, Any], None]):
        self._begun = begun
        self._ends = frozenset(ends)
        self._record = record
        self._made = 0
        self._last: int | None = None
        self._finish: str | None = None

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
                    self._finish = "stop"
                    return
        self._finish = "stop" if self._last in self._ends else "length"
        if rest := stops.rest():
            yield rest

    def close(self) -> None:
        """Records what it came to, by the names that the published model gives it, and why it ended.

        Only here is known whether an answer was cut off: where the context ends before ``max_tokens``, the
        number of tokens does not tell.
        """
        if self._finish is not None:
            self._record("finish_reason", self._finish)
        taken_s = time.perf_counter() - self._begun
        self._record("output_token_count", self._made)
        self._record("tokens_per_second", self._made / taken_s if taken_s else 0.0)

    def _count(self, tokens: Sequence[int]) -> None:
        before, self._made = self._made, self._made + len(tokens)
        self._last = tokens[-1] if tokens else self._last
        if tokens and not before:
            self._record("time_to_first_token", time.perf_counter() - self._begun)
        if tokens and (not before or before // RECORD_EVERY_TOKENS != self._made // RECORD_EVERY_TOKENS):
            self._record("output_token_count", self._made)
