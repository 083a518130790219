"""Forks a process whose parent is this one's parent: the server. Called by ``fork_server``.

``os.fork`` would make the fork server the parent: then the server could not say how a model ended, and a fork
server that ends would take "your parent has died" to every model. The kernel has a flag for that
(CLONE_PARENT), which no library offers; so the system call is made here, with what the C library's own
``fork`` does around it in a process of one thread. What it does for others (locks, ``pthread_atfork``) is not
done: never call this where a second thread runs or has run.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

_CLONE_PARENT = 0x00008000
_CLONE_CHILD_CLEARTID = 0x00200000
_CLONE_CHILD_SETTID = 0x01000000
_PR_GET_TID_ADDRESS = 40
_CLONE3 = 435
_ROBUST_LIST = {"x86_64": (274, 273), "aarch64": (100, 99)}
"""The numbers of get_robust_list and set_robust_list."""

_libc = ctypes.PyDLL(None, use_errno=True)  # unlike CDLL it keeps the interpreter's lock


def fork() -> int:
    """As ``os.fork``: 0 in the child. Raises OSError where this machine cannot do it."""
    get_list, set_list = _robust_list_calls()
    head, size = ctypes.c_void_p(), ctypes.c_size_t()
    _check(_libc.syscall(get_list, 0, ctypes.byref(head), ctypes.byref(size)))
    arguments = _arguments()
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _libc.syscall(_CLONE3, arguments, len(arguments.raw))
    if pid == 0:
        _libc.syscall(set_list, head, size)
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    number = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, os.strerror(number))
    return pid


def _arguments() -> ctypes.Array[ctypes.c_char]:
    """The kernel's ``struct clone_args``: the child's thread id goes where the C library keeps its own."""
    place = ctypes.c_void_p()
    _check(_libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(place), 0, 0, 0))
    flags = _CLONE_PARENT | _CLONE_CHILD_SETTID | _CLONE_CHILD_CLEARTID
    fields = struct.pack("8Q", flags, 0, place.value or 0, 0, 0, 0, 0, 0)
    return ctypes.create_string_buffer(fields, len(fields))


def _robust_list_calls() -> tuple[int, int]:
    try:
        return _ROBUST_LIST[platform.machine()]
    except KeyError:
        raise OSError(f"forking is not written for {platform.machine()}") from None


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
