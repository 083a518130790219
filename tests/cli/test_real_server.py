"""The command line against the server that it is made for: a day's work from push to clean-up."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import MODELS, StartServer
from tests.servers import StokerServer

Pushed = Callable[[str], str]


def stoker(server: StokerServer, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stoker", *args],
        env=os.environ | server.variables(),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_same_push_twice_is_the_same_version(server: StokerServer, pushed: Pushed) -> None:
    first = pushed("concatenate")
    again = stoker(server, "push", str(MODELS / "concatenate"), "local/concatenate", "--json")
    told = json.loads(again.stdout)
    assert (told["version"], told["cached"]) == (first, True)
    assert "Sent 0 files" in again.stderr
    assert first in stoker(server, "versions", "local/concatenate").stdout
    assert "local/concatenate" in stoker(server, "models").stdout


def test_a_broken_project_is_a_sentence(server: StokerServer, tmp_path: Path) -> None:
    (tmp_path / "cog.yaml").write_text("build: [")
    done = stoker(server, "push", str(tmp_path), "local/broken")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "cog.yaml" in done.stderr.splitlines()[-1]


def test_text_in_pieces(server: StokerServer, pushed: Pushed) -> None:
    pushed("concatenate")
    whole = stoker(server, "run", "local/concatenate", "-i", "pieces=4")
    streamed = stoker(server, "run", "local/concatenate", "-i", "pieces=4", "--stream")
    assert whole.stdout == streamed.stdout == "Once upon a time\n"


def test_files_in_and_out(server: StokerServer, pushed: Pushed, tmp_path: Path) -> None:
    pushed("picture")
    pushed("input_files")
    assert stoker(server, "run", "local/picture", "-o", "p.png", cwd=tmp_path).stdout == "p.png\n"
    assert (tmp_path / "p.png").stat().st_size == 1 << 20
    done = stoker(server, "run", "local/input_files", "-i", "one=@p.png", "-i", "opened=@-", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert (told["one"]["size_bytes"], told["one"]["suffix"]) == (1 << 20, ".png")
    assert told["opened"] == ""


def test_a_failure_and_its_logs(server: StokerServer, pushed: Pushed) -> None:
    pushed("concatenate")
    done = stoker(server, "run", "local/concatenate", "-i", "fail=true", "--json")
    failed = json.loads(done.stdout)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"Error: the prediction {failed['id']} failed: out of words"
    assert "RuntimeError: out of words" in stoker(server, "predictions", "logs", failed["id"]).stdout
    assert "failed" in stoker(server, "predictions", "show", failed["id"]).stdout


def test_input_that_does_not_fit(server: StokerServer, pushed: Pushed) -> None:
    pushed("input_types")
    done = stoker(server, "run", "local/input_types", "-i", "number=99")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: Input validation failed: number: Must be less")


def test_the_model_that_is_named_runs_where_two_have_the_same_version(
    server: StokerServer, pushed: Pushed
) -> None:
    version = pushed("concatenate")
    twin = stoker(server, "push", str(MODELS / "concatenate"), "local/twin")
    assert twin.stdout == f"{version}\n"
    for name in ("local/twin", f"local/twin:{version}", "local/concatenate"):
        done = stoker(server, "run", name, "-i", "pieces=1", "--json")
        assert json.loads(done.stdout)["model"] == name.partition(":")[0]


def test_ctrl_c_cancels_the_prediction(server: StokerServer, pushed: Pushed) -> None:
    pushed("cancellable")
    process = subprocess.Popen(
        [sys.executable, "-m", "stoker", "run", "local/cancellable", "-i", "limit_s=60"],
        env=os.environ | server.variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None and process.stdout is not None
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    seen = [next(process.stderr)]
    while "started" not in seen[-1]:
        seen.append(next(process.stderr))
    process.send_signal(signal.SIGINT)
    last = process.stderr.read().splitlines()[-1]
    watchdog.cancel()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(30) == 130
    id = last.removeprefix("Canceling ").removesuffix(".")
    followed = stoker(server, "predictions", "logs", "--follow", id)
    assert followed.stdout.startswith("started\n")
    with server.client() as client:
        assert client.get(f"/v1/predictions/{id}").json()["status"] == "canceled"


def test_a_token_from_its_making_to_its_end(server: StokerServer) -> None:
    made = json.loads(stoker(server, "token", "create", "for a test", "--json").stdout)
    environment = os.environ | server.variables() | {"REPLICATE_API_TOKEN": made["token"]}
    command = [sys.executable, "-m", "stoker", "token", "revoke", made["id"]]
    assert subprocess.run(command, env=environment, capture_output=True, timeout=60).returncode == 0
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert "does not accept this token" in refused.stderr
    listed = json.loads(stoker(server, "token", "list", "--json").stdout)
    assert {item["id"]: item["revoked_at"] is not None for item in listed}[made["id"]]


@pytest.mark.parametrize("command", ["models", "doctor"])
def test_what_serve_stored_is_enough(start_server: StartServer, tmp_path: Path, command: str) -> None:
    server = start_server(data_dir=tmp_path / "home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REPLICATE_")}
    environment["STOKER_HOME"] = str(server.data_dir)
    done = subprocess.run(
        [sys.executable, "-m", "stoker", command], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert ("MODEL" if command == "models" else f"{server.base_url}, Stoker") in done.stdout


def test_accounts(server: StokerServer) -> None:
    assert "organization crew is made" in stoker(server, "account", "create", "crew", "--organization").stderr
    stoker(server, "account", "create", "ann", "--display-name", "Ann")
    made = stoker(server, "account", "members", "crew", "--add", "ann", "--role", "admin")
    assert made.stdout.splitlines()[1].split()[:2] == ["ann", "admin"]
    stoker(server, "account", "update", "crew", "--retention", "7d")
    listed = json.loads(stoker(server, "account", "list", "--json").stdout)
    kept = {item["username"]: item["retention_s"] for item in listed}
    assert (kept["crew"], kept["ann"]) == (7 * 86400, None)
    assert "7d" in stoker(server, "account", "list").stdout
    token = stoker(server, "token", "create", "x", "--account", "ann", "--scope", "read", "--expires", "1h")
    assert len(token.stdout.strip()) == 40
    (shown,) = stoker(server, "token", "list", "--account", "ann").stdout.splitlines()[1:]
    assert shown.split()[1:4] == ["x", token.stdout[:5] + "***", "read"]
    assert "ann" not in stoker(server, "account", "members", "crew", "--remove", "ann").stdout
