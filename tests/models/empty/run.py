"""The least that a model can be: gives back its text."""

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, text: str = "") -> str:
        return text
