"""Tells what a model sees around it: variables, folders, arguments, threads."""

import os
import sys
import tempfile
import threading
from pathlib import Path

from cog import BaseRunner


class Runner(BaseRunner):
    def setup(self) -> None:
        self.thread = threading.current_thread()

    def run(self, write: str = "") -> dict:
        if write:
            Path(write).write_text("written by the model")
        return {
            "variables": dict(os.environ),
            "folder_files": sorted(os.listdir()),
            "temp": tempfile.gettempdir(),
            "argv": sys.argv,
            "path": sys.path[0],
            "main_thread": threading.current_thread() is threading.main_thread(),
            "setup_thread": threading.current_thread() is self.thread,
            "session": os.getsid(0) == os.getpid(),
            "python": list(sys.version_info[:2]),
        }
