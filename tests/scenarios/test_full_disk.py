"""The disk is full while the server runs: it stays up and says so, loses nothing, goes on with new room."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartServer
from tests.processes import with_variable
from tests.scenarios.api import Json, create, ended, get, run, when
from tests.scenarios.machine import MIB, project, until

DISK_BYTES = 96 * MIB
GATED = """
import time
from pathlib import Path

from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, gate: str, size_bytes: int = 1) -> str:
        print("started", flush=True)
        while not Path(gate).exists():
            time.sleep(0.01)
        return "x" * size_bytes
"""
WRITER = """
import os
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def run(self, size_bytes: int) -> Path:
        with open("large.bin", "wb") as file:
            file.write(os.urandom(size_bytes))
        return Path("large.bin")
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own; ``ENOSPC`` is the kernel's own word here."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "stoker-test", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(disk: Path, *, but_bytes: int = 0) -> Iterator[None]:
    """Somebody else has taken all of the disk, but for so much."""
    ballast = disk / "ballast"
    left = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, left.f_bavail * left.f_frsize - but_bytes)
    try:
        yield
    finally:
        ballast.unlink()


def health(client: httpx.Client) -> Json:
    return client.get("/health").json()


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 507, answer.text
    assert "disk is full" in answer.json()["detail"]


def test_nothing_new_is_taken_and_what_was_accepted_ends(
    start_server: StartServer, disk: Path, tmp_path: Path
):
    server = start_server(data_dir=disk, STOKER_DISK_SPARE_BYTES=str(16 * MIB), STOKER_MAX_INSTANCES="1")
    version = server.push(project(tmp_path / "gated", GATED), "local/gated")
    gate = tmp_path / "gate"
    with server.client() as client:
        running = create(client, version, {"gate": str(gate)})["id"]
        when(client, running, lambda p: "started" in p["logs"])
        waiting = create(client, version, {"gate": str(gate)})["id"]
        assert health(client)["status"] == "ok"
        with full(disk, but_bytes=8 * MIB):
            refused(client.post("/v1/predictions", json={"version": version, "input": {"gate": "x"}}))
            refused(client.post("/v1/files", files={"content": b"x"}))
            assert "disk is full" in server.stoker("push", str(tmp_path / "gated"), "local/again").stderr
            until(lambda: health(client)["status"] == "degraded", "it is told")
            told = health(client)
            assert told["troubles"][0].startswith("The disk is full: ")
            gate.touch()
            assert ended(client, running)["status"] == "succeeded"
            assert ended(client, waiting)["status"] == "succeeded"
        until(lambda: health(client)["status"] == "ok", "that it is over is told")
        assert health(client) | {"instances": []} == {
            "status": "ok", "version": told["version"], "troubles": [], "instances": [], "paused": [],
        }  # fmt: skip
        assert run(client, version, {"gate": str(gate)})["status"] == "succeeded"


def test_an_instance_that_has_to_start_waits_for_room(start_server: StartServer, disk: Path, tmp_path: Path):
    server = start_server(data_dir=disk, STOKER_DISK_SPARE_BYTES=str(16 * MIB), STOKER_WAIT_LOG_S="0.1")
    version = server.push(project(tmp_path / "gated", GATED), "local/gated")
    gate = tmp_path / "gate"
    with server.client() as client:
        id = create(client, version, {"gate": str(gate)})["id"]
        when(client, id, lambda p: "started" in p["logs"])
        waiting = create(client, version, {"gate": str(gate)})["id"]
        with full(disk, but_bytes=8 * MIB):
            for pid in with_variable("STOKER_INSTANCE", of=disk):
                os.kill(pid, signal.SIGKILL)
            assert ended(client, id)["status"] == "failed"
            when(client, waiting, lambda p: "disk is full" in p["logs"])
            assert get(client, waiting)["status"] == "starting"
        gate.touch()
        assert ended(client, waiting)["status"] == "succeeded"


def test_not_a_byte_is_left(start_server: StartServer, disk: Path, tmp_path: Path):
    """The reserve has been taken as well: ends wait to be written, and creates that cannot be are refused."""
    server = start_server(data_dir=disk, STOKER_DISK_SPARE_BYTES="0")
    version = server.push(project(tmp_path / "gated", GATED), "local/gated")
    gate = tmp_path / "gate"
    with server.client() as client:
        running = create(client, version, {"gate": str(gate), "size_bytes": 4 * MIB})["id"]
        when(client, running, lambda p: "started" in p["logs"])
        with full(disk):
            gate.touch()
            until(lambda: health(client).get("troubles"), "the end cannot be written")
            assert "could not be written yet" in health(client)["troubles"][0]
            accepted = _create_until_refused(client, version, gate)
            assert get(client, running)["status"] == "processing", "what is not written is not shown"
        over = ended(client, running)
        assert (over["status"], len(over["output"])) == ("succeeded", 4 * MIB)
        assert {ended(client, id)["status"] for id in accepted} <= {"succeeded"}
        until(lambda: health(client)["status"] == "ok", "all is written")
        assert run(client, version, {"gate": str(gate)})["status"] == "succeeded"


def _create_until_refused(client: httpx.Client, version: str, gate: Path) -> list[str]:
    """The log has some room that was taken before, so the first may still be accepted; their ids."""
    accepted: list[str] = []
    for _ in range(200):
        input = {"gate": str(gate) + "/" * 100_000}
        answer = client.post("/v1/predictions", json={"version": version, "input": input})
        if answer.status_code != 201:
            refused(answer)
            return accepted
        accepted.append(answer.json()["id"])
    raise AssertionError("none was refused")


def test_a_model_that_fills_the_disk_fails_and_says_why_and_gives_it_back(
    start_server: StartServer, disk: Path, tmp_path: Path
):
    server = start_server(data_dir=disk, STOKER_DISK_SPARE_BYTES=str(16 * MIB), STOKER_IDLE_S="600")
    version = server.push(project(tmp_path / "writer", WRITER), "local/writer")
    with server.client() as client:
        failed = run(client, version, {"size_bytes": 2 * DISK_BYTES})
        assert failed["status"] == "failed"
        assert "No space left on device" in failed["error"]
        until(lambda: health(client)["status"] == "ok", "its files are gone")
        assert run(client, version, {"size_bytes": 1000})["status"] == "succeeded"
