"""The module cannot be imported."""

import a_module_that_is_not_there  # noqa: F401
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self) -> str:
        return "not reached"
