"""Takes memory and touches it."""

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, size_bytes: int = 1 << 20) -> int:
        block = bytearray(size_bytes)
        block[::4096] = b"x" * len(block[::4096])
        return len(block)
