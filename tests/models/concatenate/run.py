"""Text in pieces, as language models give it: spaces, newlines and empty pieces included."""

import time

from cog import BaseRunner, ConcatenateIterator, Input, streaming

PIECES = ["Once", " upon", " a", " time\n", "", "\n", "there", " was \u2014 ", "\r\n", "\u2028end"]


class Runner(BaseRunner):
    @streaming
    def run(
        self, pieces: int = Input(default=10, ge=0), pause_s: float = 0, fail: bool = False
    ) -> ConcatenateIterator[str]:
        for piece in PIECES[:pieces]:
            yield piece
            time.sleep(pause_s)
        if fail:
            raise RuntimeError("out of words")
