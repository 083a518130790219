"""Setup raises after it has printed something."""

from cog import BaseRunner


class Runner(BaseRunner):
    def setup(self) -> None:
        print("looking for the weights")
        raise RuntimeError("the weights are not there")

    def run(self) -> str:
        return "not reached"
