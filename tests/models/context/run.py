"""Gives back what came with the request."""

from cog import BaseRunner, current_scope


class Runner(BaseRunner):
    def run(self) -> dict:
        return dict(current_scope().context)
