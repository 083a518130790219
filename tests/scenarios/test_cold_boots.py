"""How instances begin, through a real server: forked, plainly where that is not to be had, and unasked."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import MODELS, StartServer
from tests.processes import with_variable
from tests.scenarios.api import run
from tests.scenarios.machine import project, until
from tests.scenarios.test_instances import alive, instances
from tests.servers import StokerServer
from tests.wheels import make_wheel

SLOW = "import time\ntime.sleep(0.4)\n"
"""Slow enough to be worth a fork server."""

HEAVY = """
import os
import heavy
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self) -> int:
        return os.getpid()
"""

YAML = """build:
  python_version: "3.11"
  python_requirements: requirements.txt
run: run.py:Runner
"""


@pytest.fixture
def heavy(tmp_path: Path) -> Path:
    """A Cog project with an import that takes long."""
    wheel, content = make_wheel("heavy", SLOW)
    folder = project(tmp_path / "heavy", HEAVY, yaml=YAML, **{"requirements.txt": f"./{wheel}\n"})
    (folder / wheel).write_bytes(content)
    return folder


def boot(client: httpx.Client, server: StokerServer, version: str) -> dict[str, Any]:
    """A prediction in an instance of its own, which is gone afterwards; the record of its boot."""
    assert run(client, version)["status"] == "succeeded"
    until(lambda: not instances(server), "the instance has gone")
    return client.get("/v1/stoker/boots").json()["results"][0]


def fork_servers(server: StokerServer) -> set[int]:
    found = with_variable("STOKER_INSTANCE", of=server.data_dir)
    return {pid for pid in found if b".fork-" in Path(f"/proc/{pid}/environ").read_bytes()}


def until_forked(client: httpx.Client, server: StokerServer, version: str) -> dict[str, Any]:
    """Boots until one is forked: nothing waits for a fork server that is not ready yet."""
    for _ in range(20):
        record = boot(client, server, version)
        if record["start"] == "forked":
            return record
    raise AssertionError("no instance was forked")


def test_the_second_boot_is_forked_and_a_killed_fork_server_comes_back(
    start_server: StartServer, heavy: Path
):
    server = start_server()
    version = server.push(heavy, "local/heavy")
    with server.client() as client:
        assert client.patch("/v1/stoker/models/local/heavy/scale", json={"idle_s": 0}).status_code == 200
        first = boot(client, server, version)
        assert first["start"] == "plain"
        forked = until_forked(client, server, version)
        assert set(forked["seconds"]) == set(first["seconds"])
        assert first["seconds"]["imports"] > forked["seconds"]["imports"]
        (killed,) = fork_servers(server)
        os.kill(killed, signal.SIGKILL)
        until(lambda: not alive(killed), "it is dead")
        assert boot(client, server, version)["start"] == "plain"
        until_forked(client, server, version)
        assert killed not in fork_servers(server)
    assert server.stop() == 0
    assert not with_variable("STOKER_INSTANCE", of=server.data_dir)


def test_without_fork_servers_every_boot_is_plain(start_server: StartServer, heavy: Path):
    server = start_server(STOKER_FORK_SERVERS="0")
    version = server.push(heavy, "local/heavy")
    with server.client() as client:
        client.patch("/v1/stoker/models/local/heavy/scale", json={"idle_s": 0})
        assert [boot(client, server, version)["start"] for _ in range(3)] == ["plain"] * 3
    assert not fork_servers(server)


def test_warm_has_an_instance_up_unasked_also_after_a_restart(start_server: StartServer):
    server = start_server(STOKER_IDLE_S="0")
    version = server.push(MODELS / "state", "local/state")
    assert not instances(server)
    done = server.stoker("warm", "local/state")
    assert done.returncode == 0, done.stderr
    until(lambda: [one["state"] for one in instances(server)] == ["ready"], "it is warm")
    with server.client() as client:
        first, second = (run(client, version)["output"] for _ in range(2))
        assert (first["count"], second["count"]) == (1, 2), "one process, which stayed"
    server.kill()
    server.start()
    until(lambda: [one["state"] for one in instances(server)] == ["ready"], "it is warm again")
    assert server.stoker("warm", "local/state", "--off").returncode == 0
    until(lambda: not instances(server), "it has gone")
