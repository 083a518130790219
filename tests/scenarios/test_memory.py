"""Memory runs out: the model goes and not the server, and its callers are told why."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import MODELS, StartServer
from tests.processes import with_variable
from tests.scenarios.api import run
from tests.scenarios.machine import MIB

SHARE_BYTES = 1024 * MIB
LOOK = "from stoker.host import memory; print(memory.total_bytes(), memory.available_bytes())"
ROOTS = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", SHARE_BYTES),
    (Path("/sys/fs/cgroup"), "memory.max", "memory.swap.max", 0),
)
"""Version 1 and version 2: the limit, and what keeps swap from making more of it."""


@contextmanager
def share() -> Iterator[Path]:
    """A control group of so much memory."""
    for root, limit, swap, swap_bytes in ROOTS:
        group = root / f"stoker-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if not (group / limit).exists():
                continue
            (group / limit).write_text(str(SHARE_BYTES))
            if (group / swap).exists():
                (group / swap).write_text(str(swap_bytes))
            yield group
            return
        finally:
            group.rmdir()
    pytest.skip("no control group for memory can be made here (only root may)")


@contextmanager
def inside(group: Path) -> Iterator[None]:
    """What is started from here on belongs to the group."""
    own = _own_group(group)
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        (own / "cgroup.procs").write_text(str(os.getpid()))


def _own_group(beside: Path) -> Path:
    name = "memory" if beside.parent.name == "memory" else ""
    lines = (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    return next(beside.parent / path.strip("/") for _, names, path in lines if name in names.split(","))


def test_a_model_that_outgrows_the_machine_goes_and_the_server_stays(start_server: StartServer):
    with share() as group:
        with inside(group):
            server = start_server()
        version = server.push(MODELS / "memory", "local/memory")
        with server.client() as client:
            assert run(client, version, {"size_bytes": MIB})["status"] == "succeeded"
            (before,) = with_variable("STOKER_INSTANCE", of=server.data_dir)
            died = run(client, version, {"size_bytes": 4 * SHARE_BYTES})
            assert died["status"] == "failed"
            assert died["error"] == "Prediction failed: killed by signal SIGKILL (out of memory) (E1001)"
            assert server.process is not None
            assert server.process.poll() is None
            assert run(client, version, {"size_bytes": MIB})["status"] == "succeeded"
            assert before not in with_variable("STOKER_INSTANCE", of=server.data_dir)
        assert server.stop() == 0


def test_what_the_server_may_have_is_what_its_group_may_have():
    with share() as group:
        with inside(group):
            seen = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
        total_bytes, available_bytes = map(int, seen.stdout.split())
        assert total_bytes == SHARE_BYTES
        assert SHARE_BYTES - 256 * MIB < available_bytes < SHARE_BYTES
