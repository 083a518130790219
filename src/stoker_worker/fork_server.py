"""A process that has the heavy imports done and forks a worker when the server asks for one.

Entered by the bootstrap, in the environment's interpreter. It imports and does nothing else: never a tensor
operation, never the model's own code. Whatever looks wrong makes it end or refuse, and the server then starts
workers plainly. It speaks packets of JSON over the socket that it was given:

    -> {"ready": true, "modules": [...]}  or  {"refused": "why"}
    <- {"cwd", "folder", "variables"} with three descriptors: socket, output, the instance's folder
    -> {"pid": 4711}  or  {"refused": "why"}

Its HOME and TMPDIR lead through a descriptor of the process itself (``/proc/self/fd/200/home``), so a path
that a library computes at import means the instance's own folder in each process that is forked.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import sys
from typing import Any

from stoker_worker import forking, guard, preloading, renewing, streams
from stoker_worker import main as worker
from stoker_worker.config import CONFIG_VARIABLE, FD_VARIABLE, INSTANCE_VARIABLE
from stoker_worker.marking import Mark

FOLDER_FD = 200
"""Higher than what a process that only imports has open."""
OWN_FOLDER = f"/proc/self/fd/{FOLDER_FD}"

_PACKET_BYTES = 1 << 18
_MOST_PRINTED_BYTES = 1 << 16
_PR_SET_PDEATHSIG = 1
_MORE_SCORE = 700
"""Where memory runs out it goes before any instance: all that is lost is a quick start."""


def main() -> None:
    mark = Mark()
    config = json.loads(os.environ.pop(CONFIG_VARIABLE))
    control = socket.socket(fileno=int(os.environ.pop(FD_VARIABLE)))
    control.set_inheritable(False)
    _die_with(config["parent"])
    guard.offer(_MORE_SCORE, than=config["parent"])
    _hold(os.open(config["folder"], os.O_PATH | os.O_DIRECTORY))
    output = _catch_output()
    before = preloading.open_descriptors()
    streams.install(config["slots"])
    why = preloading.load(config["imports"]) or preloading.problem(before)
    printed = _printed(output)
    if why is None and len(printed) > _MOST_PRINTED_BYTES:
        why = "the imports print too much"
    if why is not None:
        control.send(json.dumps({"refused": why}).encode())
        return
    folders = [OWN_FOLDER, config["folder"]]
    places = preloading.holding(folders)
    gc.collect()
    gc.freeze()  # what is never collected is never written to: its pages stay shared
    control.send(json.dumps({"ready": True, "modules": _top_level()}).encode())
    request = _serve(control, mark)
    if request is not None:
        _become(*request, printed=printed)
        preloading.move(places, folders, request[0]["folder"])
        worker.main()


def _serve(control: socket.socket, mark: Mark) -> tuple[dict[str, Any], list[int]] | None:
    """Forks until the server is gone (None); in a forked process, what it is to become."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, _PACKET_BYTES, 8)
        if not data:
            return None
        request = json.loads(data)
        answer = _refusal(request, mark)
        if answer is None:
            answer = _fork(mark, request["variables"][INSTANCE_VARIABLE])
        if answer is None:
            control.close()
            return request, descriptors
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(json.dumps(answer).encode())


def _fork(mark: Mark, name: str) -> dict[str, Any] | None:
    """The answer; None in the child, which is by then a session of its own and carries the instance's mark.

    Only then is the server told of it: whoever ends what belongs to the fork server must not find the child.
    """
    done, told = os.pipe()
    try:
        pid = forking.fork()
        if pid == 0:
            os.setsid()
            mark.write(name)
            return None
        os.close(told)
        told = -1
        os.read(done, 1)  # ends when the child closes its end, or itself
    except OSError as error:
        return {"refused": f"cannot fork: {error}"}
    finally:
        os.close(done)
        if told >= 0:
            os.close(told)
    return {"pid": pid}


def _refusal(request: dict[str, Any], mark: Mark) -> dict[str, Any] | None:
    if not mark.fits(request["variables"][INSTANCE_VARIABLE]):
        return {"refused": "the instance's mark is too long"}
    if not preloading.is_forkable():
        return {"refused": "there is a second thread"}
    return None


def _become(wanted: dict[str, Any], descriptors: list[int], *, printed: bytes) -> None:
    """Makes this fork what a process is that was started for the instance."""
    sock, output, folder = descriptors
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.set_inheritable(sock, False)
    _hold(folder)
    os.chdir(wanted["cwd"])
    renewing.renew(wanted["variables"] | {FD_VARIABLE: str(sock)})
    guard.renew()
    os.write(1, printed)


def _die_with(parent: int) -> None:
    """Nothing here is worth a farewell. The forked are not told: the kernel forgets this at a fork."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _hold(folder: int) -> None:
    os.dup2(folder, FOLDER_FD, inheritable=False)
    os.close(folder)


def _catch_output() -> int:
    """What imports print goes to a file in memory: each model's log begins with it, as in a plain start."""
    file = os.memfd_create("printed")
    os.dup2(file, 1)
    os.dup2(file, 2)
    return file


def _printed(file: int) -> bytes:
    streams.flush()
    guard.flush_c_output()
    size = os.lseek(file, 0, os.SEEK_END)
    data = os.pread(file, min(size, _MOST_PRINTED_BYTES + 1), 0)
    os.close(file)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)
    return data


def _top_level() -> list[str]:
    """A file of a model with one of these names would have been imported instead."""
    return sorted({name.partition(".")[0] for name in sys.modules} - {"__main__"})
