"""Ages of what can be made again: asking for something makes it young, what nobody asks for is removed.

Used by ``environment`` and ``workspace``. An age is a file's or folder's time of change.
"""

import os
import shutil
import tempfile
import threading
import time
from pathlib import Path


class Ages:
    def __init__(self) -> None:
        self._turn = threading.Lock()
        """Held to make something young, and to look at an age and move away: nobody gets what is going."""

    def renew(self, aged: Path) -> bool:
        """Whether it is there; then its age starts anew."""
        try:
            with self._turn:
                os.utime(aged)
        except FileNotFoundError:
            return False
        return True

    def remove(self, folder: Path, *, aged: Path, older_than_s: float, trash: Path) -> bool:
        """Removes the folder where ``aged`` is older than that; by way of ``trash``, on the same file system.

        So it is there whole or not at all, and whoever makes it again meets no half of it.
        """
        going = Path(tempfile.mkdtemp(prefix="unused-", dir=trash))
        try:
            with self._turn:
                if aged.stat().st_mtime >= time.time() - older_than_s:
                    return False
                folder.rename(going / folder.name)
        except FileNotFoundError:
            return False
        finally:
            shutil.rmtree(going, ignore_errors=True)
        return True
