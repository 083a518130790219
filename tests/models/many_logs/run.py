"""Prints as many bytes as it is asked for, in lines of a hundred."""

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, size_bytes: int = Input(default=1000, ge=0), line_bytes: int = 100) -> int:
        line = "x" * (line_bytes - 1)
        for _ in range(size_bytes // line_bytes):
            print(line)
        return size_bytes
