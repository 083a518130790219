"""A stream that never ends."""

from cog import BaseRunner, ConcatenateIterator, streaming


class Runner(BaseRunner):
    @streaming
    def run(self, word: str = "again ") -> ConcatenateIterator[str]:
        while True:
            yield word
