"""A model in a folder of its own: the root's modules import, those beside it do not."""

import os
import sys

from cog import BaseRunner
from shared import SHARED


class Runner(BaseRunner):
    def run(self) -> dict:
        try:
            import beside  # noqa: F401
        except ModuleNotFoundError as error:
            problem = str(error)
        else:
            problem = None
        return {
            "shared": SHARED,
            "beside": problem,
            "module": __name__,
            "files": sorted(os.listdir()),
            "argv": sys.argv,
            "path": sys.path[0],
        }
