"""An iterator of values: an array that grows; may fail after some items."""

from typing import Iterator

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, count: int = Input(default=3, ge=0), fail_after: int = Input(default=-1)) -> Iterator[dict]:
        for number in range(count):
            if number == fail_after:
                raise ValueError(f"failed after {number}")
            print(f"making {number}")
            yield {"number": number}
