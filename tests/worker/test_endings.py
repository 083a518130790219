"""How a process ended, in words."""

import os
import signal

import pytest

from stoker.engines.endings import ending


def result(code: int, status: int) -> os.waitid_result:
    return os.waitid_result((1, 0, signal.SIGCHLD, status, code))


@pytest.mark.parametrize(
    ("code", "status", "out_of_memory", "words"),
    [
        (os.CLD_EXITED, 0, False, "exited with code 0"),
        (os.CLD_EXITED, 3, True, "exited with code 3"),
        (os.CLD_KILLED, signal.SIGKILL, False, "killed by signal SIGKILL"),
        (os.CLD_KILLED, signal.SIGKILL, True, "killed by signal SIGKILL (out of memory)"),
        (os.CLD_KILLED, signal.SIGTERM, True, "killed by signal SIGTERM (terminated)"),
        (os.CLD_DUMPED, signal.SIGSEGV, False, "killed by signal SIGSEGV (segmentation fault)"),
        (os.CLD_KILLED, signal.SIGRTMIN + 3, False, "killed by signal 37 (real-time signal 3)"),
    ],
)
def test_words(code: int, status: int, out_of_memory: bool, words: str) -> None:
    assert ending(result(code, status), out_of_memory=out_of_memory) == words
