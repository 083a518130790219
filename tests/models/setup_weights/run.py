"""Setup loads weights that are part of the source."""

import json
from typing import Any

from cog import BaseRunner, Path


class Runner(BaseRunner):
    def setup(self, weights: Path | None = None) -> None:
        self.given: Any = None if weights is None else str(weights)
        self.factor = json.loads(Path("weights/factor.json").read_text())["factor"]
        print(f"factor {self.factor}")

    def run(self, number: float = 1) -> dict:
        return {"product": number * self.factor, "given": self.given}
