"""How a process ended, in words."""

import os
import signal

import pytest

from stoker.engines.endings import ending


def result(code: int, status: int) -> os.waitid_result:
    return os.waitid_result((1, 0, signal.SIGCHLD, status, code))


@pytest.mark.parametrize(
    ("code", "status", "oom_kills", "words"),
    [
        (os.CLD_EXITED, 0, 0, "exited with code 0"),
        (os.CLD_EXITED, 3, 1, "exited with code 3"),
        (os.CLD_KILLED, signal.SIGKILL, 0, "killed by signal SIGKILL"),
        (os.CLD_KILLED, signal.SIGKILL, 1, "killed by signal SIGKILL (out of memory?)"),
        (os.CLD_KILLED, signal.SIGTERM, 1, "killed by signal SIGTERM (terminated)"),
        (os.CLD_DUMPED, signal.SIGSEGV, 0, "killed by signal SIGSEGV (segmentation fault)"),
        (os.CLD_KILLED, signal.SIGRTMIN + 3, 0, "killed by signal 37 (real-time signal 3)"),
    ],
)
def test_words(code: int, status: int, oom_kills: int, words: str) -> None:
    assert ending(result(code, status), oom_kills=oom_kills) == words
