"""The parent of the model's class."""

from cog import BaseRunner


class Parent(BaseRunner):
    def run(self, name: str = "child") -> str:
        return f"{self.greeting} {name}"
