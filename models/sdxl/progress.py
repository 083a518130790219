"""Progress bars for a log. Used by ``pipelines``."""

import sys


class Lines:
    """A file for tqdm that makes a line of each state of its bar: clients look for the last line with one.

    On a terminal a bar overwrites itself; in a log that is one line, of which clients see only the beginning.
    """

    def write(self, text: str) -> None:
        state = text.strip("\r\n")
        if state.strip():
            sys.stderr.write(f"{state}\n")

    def flush(self) -> None:
        sys.stderr.flush()
