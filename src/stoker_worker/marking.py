"""Writes an instance's mark over the one that the fork server was started with. Used by ``fork_server``.

``/proc/PID/environ`` shows the memory where the kernel put the variables when the program was started, and a
fork keeps that of its parent. By that file the server finds what outlived an instance, so the text there is
changed in place: in the child's own copy of the page.
"""

from __future__ import annotations

import ctypes
import os

from stoker_worker.config import INSTANCE_VARIABLE

_libc = ctypes.CDLL(None)
_libc.getenv.restype = ctypes.c_void_p


class Mark:
    """To be made before anything has changed the environment: changed variables lie elsewhere."""

    def __init__(self) -> None:
        self._room = len(os.environ[INSTANCE_VARIABLE].encode())
        self._place = _libc.getenv(INSTANCE_VARIABLE.encode())

    def fits(self, text: str) -> bool:
        return len(text.encode()) <= self._room

    def write(self, text: str) -> None:
        data = text.encode()
        ctypes.memmove(self._place, data.ljust(self._room, b"\0"), self._room)
