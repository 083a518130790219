"""Inputs without defaults, with the order of the parameters not that of the alphabet."""

from typing import Optional

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, zeta: str, alpha: int = Input(ge=0), middle: Optional[float] = Input()) -> str:
        return f"{zeta} {alpha} {middle}"
