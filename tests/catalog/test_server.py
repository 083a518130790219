"""The catalogue's commands and a hub together: what is fetched once, what survives, what goes."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalog import weights
from tests.catalog.fake_hub import Hub, fake_hub
from tests.catalog.test_add import add, attempt, checkpoints
from tests.conftest import StartServer
from tests.scenarios import api
from tests.scenarios.machine import until
from tests.servers import StokerServer

REPO, WEIGHTS = "acme/scale-v1", "model.safetensors"
WANTED = {"source": REPO, "leave_out": ["*.fp16.safetensors"]}
"""As the command asks for the usual weights."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with fake_hub() as running:
        data = weights.safetensors({"factor": [3], "more": [7] * 1_500_000})
        running.repos[REPO] = {WEIGHTS: data, "config.json": b"{}"}
        yield running


def begin(
    server: StokerServer, entries: Path, *, stderr: int = subprocess.PIPE, **variables: str
) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "stoker", "catalog", "add", "acme/scale", "--from", str(entries)]
    return subprocess.Popen(
        command,
        env=os.environ | server.variables() | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        # A shell that starts its jobs in the background has them ignore interrupts, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_the_usual_weights_come_from_the_hub(start_server: StartServer, entries: Path, hub: Hub) -> None:
    server = start_server(HF_ENDPOINT=hub.url, HF_TOKEN=hub.token)
    hub.gated.add(REPO)
    version = add(server, entries)
    with server.client() as client:
        assert api.run(client, version, {"number": 5})["output"] == 15
        (kept,) = checkpoints(client)
        assert (kept["source"], kept["commit"][:6]) == (REPO, "c0ffee")
        files = client.get(f"/v1/stoker/checkpoints/{kept['id']}").json()["files"]
        assert [file["path"] for file in files] == ["config.json", WEIGHTS]
    hub.repos.clear()
    assert add(server, entries) == version  # without the hub


def test_a_killed_server_goes_on_where_the_fetch_was(
    start_server: StartServer, entries: Path, hub: Hub
) -> None:
    server = start_server(HF_ENDPOINT=hub.url)
    hub.holds[WEIGHTS] = 10_000_000
    first = begin(server, entries)
    assert hub.held.wait(60)
    part = server.data_dir / "checkpoints" / "incoming"

    def have() -> int:
        return sum(file.stat().st_size for file in part.glob(f"*/{WEIGHTS}.part"))

    until(have, "a part of the file is on the disk")
    server.kill()
    first.kill()
    first.communicate()
    hub.go_on.set()
    hub.holds.clear()
    kept = have()
    hub.asked.clear()
    server.start()
    version = add(server, entries)
    assert [one.start for one in hub.asked_for(WEIGHTS)] == [kept]
    with server.client() as client:
        assert api.run(client, version, {"number": 2})["output"] == 6


def test_two_who_add_the_same_at_once_fetch_it_once(
    start_server: StartServer, entries: Path, hub: Hub
) -> None:
    server = start_server(HF_ENDPOINT=hub.url)
    hub.holds[WEIGHTS] = 1
    both = [begin(server, entries), begin(server, entries)]
    assert hub.held.wait(60)
    with server.client() as client:
        joined = client.post("/v1/stoker/checkpoints", json=WANTED).json()
        fetches = client.get("/v1/stoker/checkpoints").json()["fetches"]
        assert [fetch["id"] for fetch in fetches] == [joined["id"]]
    hub.go_on.set()
    ends = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert len({out.split()[-1] for out, _ in ends}) == 1
    assert len(hub.asked_for(WEIGHTS)) == 1


def test_a_fetch_outlives_its_command_until_it_is_stopped_and_is_gone_on_with(
    start_server: StartServer, entries: Path, hub: Hub
) -> None:
    server = start_server(HF_ENDPOINT=hub.url)
    hub.holds[WEIGHTS] = 10_000_000
    interrupted, waiting = begin(server, entries), begin(server, entries)
    assert hub.held.wait(60)
    for adding in (interrupted, waiting):
        assert adding.stderr is not None
        assert next(line for line in adding.stderr if line.startswith(f"Fetching {REPO}"))
    interrupted.send_signal(signal.SIGINT)
    _, said = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, said.splitlines()[-1]) == (130, "Interrupted.")
    assert "The server goes on with the fetch." in said
    assert f"On its way: {REPO}, " in server.stoker("catalog", "list", "--from", str(entries)).stderr
    other = server.stoker("catalog", "stop", "acme/other")
    assert (other.returncode, other.stderr) == (1, "Error: Nothing is on its way from acme/other.\n")
    stopped = server.stoker("catalog", "stop", REPO)
    assert stopped.returncode == 0 and f"Stopped: {REPO}, " in stopped.stderr
    _, said = waiting.communicate(timeout=60)
    assert f"The fetch of {REPO} was stopped. Run the same again" in said.splitlines()[-1]
    assert "Nothing is on its way." in server.stoker("catalog", "stop").stderr
    hub.go_on.set()
    hub.holds.clear()
    hub.asked.clear()
    add(server, entries)
    (again,) = hub.asked_for(WEIGHTS)
    assert again.start, "what had come is not fetched again"


def test_a_terminal_shows_how_far_the_fetch_is(start_server: StartServer, entries: Path, hub: Hub) -> None:
    server = start_server(HF_ENDPOINT=hub.url)
    hub.holds[WEIGHTS] = 10_000_000
    master, end = pty.openpty()
    termios.tcsetwinsize(end, (40, 120))
    adding = begin(server, entries, stderr=end, TERM="xterm-256color")
    os.close(end)
    shown = ""
    while "MB of 12.0 MB" not in shown:  # the end of the command ends the terminal, which is an error
        shown += os.read(master, 65536).decode()
    assert f"Fetching {REPO}" in shown
    hub.go_on.set()
    with contextlib.suppress(OSError):
        while os.read(master, 65536):
            pass
    os.close(master)
    out, _ = adding.communicate(timeout=120)
    assert (adding.returncode, len(out.strip())) == (0, 64)


def test_a_failed_fetch_ends_the_command_with_the_reason_and_leaves_nothing(
    start_server: StartServer, entries: Path, hub: Hub, tmp_path: Path
) -> None:
    server = start_server(HF_ENDPOINT=hub.url)
    hub.gated.add(REPO)
    done = attempt(server, entries)
    assert done.returncode == 1
    assert "start the server with a token of that account in HF_TOKEN" in done.stderr.splitlines()[-1]
    done = attempt(server, entries, "--weights", "acme/nothing")
    assert "acme/nothing does not exist, is private, or is gated" in done.stderr.splitlines()[-1]
    done = attempt(server, entries, "--weights", "not-there")
    assert "neither a folder here nor a model of the hub" in done.stderr
    (tmp_path / "model.safetensors").write_bytes(b"")
    done = attempt(server, entries, "--weights", str(tmp_path / "model.safetensors"))
    assert "is a file: name the folder that it is in" in done.stderr
    done = attempt(server, entries, "--hardware", "gpu-t4")
    assert "The server has no hardware gpu-t4. It has " in done.stderr
    done = attempt(server, entries, name="acme/other")
    assert "The catalogue has no acme/other. It has acme/scale, acme/scale-large." in done.stderr
    done = attempt(server, entries, name="acme/scale-large")
    assert "name some with --weights" in done.stderr
    with server.client() as client:
        assert client.get("/v1/models").json()["results"] == []


def test_a_model_is_told_when_its_weights_were_changed(
    start_server: StartServer, entries: Path, tmp_path: Path
) -> None:
    server, folder = start_server(), weights.checkpoint(tmp_path / "weights", factor=3)
    version = add(server, entries, "--weights", str(folder))
    weights.write_safetensors(folder / WEIGHTS, {"factor": [9]})
    with server.client() as client:
        failed = api.run(client, version, {"number": 5})
        assert failed["status"] == "failed"
        assert f"{WEIGHTS} of the weights from {folder} was changed" in failed["error"]
        again = add(server, entries, "--weights", str(folder))
        assert api.run(client, again, {"number": 5})["output"] == 45


def test_list_and_remove(start_server: StartServer, entries: Path, tmp_path: Path) -> None:
    server, folder = start_server(), weights.checkpoint(tmp_path / "weights")
    version = add(server, entries, "--weights", str(folder))
    add(server, entries, "--weights", str(folder), name="acme/scale-large")
    shown = server.stoker("catalog", "list", "--from", str(entries)).stdout
    assert version[:12] in shown and str(folder) in shown and "Multiplies by a number" in shown
    asked = server.stoker("catalog", "remove", "acme/scale", "--from", str(entries))
    assert (asked.returncode, "To remove it, say --yes." in asked.stderr) == (1, True)
    assert f"{version}, which stands in for 2 published ids" in asked.stderr
    assert "stay: acme/scale-large runs with them" in asked.stderr
    removed = server.stoker("catalog", "remove", "acme/scale", "--from", str(entries), "--yes")
    assert removed.returncode == 0, removed.stderr
    rows = json.loads(server.stoker("catalog", "list", "--from", str(entries), "--json").stdout)
    assert [(row["model"], row["version"] is None) for row in rows] == [
        ("acme/scale", True),
        ("acme/scale-large", False),
    ]
    with server.client() as client:
        assert client.get("/v1/models/acme/scale").status_code == 404
        assert client.get("/v1/models/published/scale").status_code == 404
    again = server.stoker("catalog", "remove", "acme/scale", "--from", str(entries), "--yes")
    assert (again.returncode, "acme/scale is not on the server." in again.stderr) == (1, True)


def test_what_others_were_trained_from_or_run_stays(
    start_server: StartServer, entries: Path, tmp_path: Path
) -> None:
    server = start_server()
    version = add(server, entries, "--weights", str(weights.checkpoint(tmp_path / "weights")))
    with server.client() as client:
        deployment = {
            "name": "mine",
            "model": "acme/scale",
            "version": version,
            "hardware": "cpu",
            "min_instances": 0,
            "max_instances": 1,
        }
        assert client.post("/v1/deployments", json=deployment).status_code == 200
    removed = server.stoker("catalog", "remove", "acme/scale", "--from", str(entries), "--yes")
    assert removed.returncode == 1
    assert "A deployment runs the version" in removed.stderr
