"""Keyword-only inputs, annotations as text."""

from __future__ import annotations

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, first: str, *, second: int = Input(default=2), third: float | None = None) -> str:
        return f"{first} {second} {third}"
