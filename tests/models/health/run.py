"""A health check whose answer is set by the last prediction."""

import time
from typing import Any

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def setup(self) -> None:
        self.answer = "true"

    def healthcheck(self) -> Any:
        if self.answer == "raise":
            raise ValueError("not well")
        if self.answer == "slow":
            time.sleep(6)
        return {"true": True, "false": False, "none": None, "text": "no"}.get(self.answer, True)

    def run(self, answer: str = Input(choices=["true", "false", "none", "text", "raise", "slow"])) -> str:
        self.answer = answer
        return answer
