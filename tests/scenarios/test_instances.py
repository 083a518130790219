"""Model processes: what they see, what they may take, what they leave, when they come and go."""

import itertools
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MODELS, Pushed, StartServer
from tests.scenarios.api import create, ended, run, when
from tests.scenarios.machine import MIB, project, until
from tests.scenarios.test_crashes import instance_pids
from tests.servers import TOKEN, StokerServer

TREE = """
import subprocess, sys
from cog import BaseRunner

WAYS = [
    {},
    {"start_new_session": True},
    {"start_new_session": True, "cwd": "/"},
    {"start_new_session": True, "env": {}},
    {"cwd": "/", "env": {}},
]

class Runner(BaseRunner):
    def run(self) -> list[int]:
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        children = [subprocess.Popen(sleep, **way).pid for way in WAYS]
        background = subprocess.run(["sh", "-c", "sleep 600 > /dev/null 2>&1 & echo $!"], stdout=-1)
        return [*children, int(background.stdout)]
"""

LIMITS = """
import os
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, files: int = 0, memory_bytes: int = 0) -> str:
        opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(files)]
        for file in opened:
            os.close(file)
        block = bytearray(memory_bytes)
        return f"{len(opened)} {len(block)}"
"""


SLOW = """
import time
from cog import BaseRunner

class Runner(BaseRunner):
    def setup(self) -> None:
        print("loading", flush=True)
        time.sleep(600)

    def run(self) -> str:
        return "ok"
"""


HALF = """
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def run(self) -> list[Path]:
        with open("good.txt", "w") as file:
            file.write("good")
        return [Path("good.txt"), Path("missing.txt")]
"""


def instances(server: StokerServer) -> list[dict[str, Any]]:
    with server.client() as client:
        return client.get("/health").json()["instances"]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def leftovers(server: StokerServer) -> list[str]:
    """What instances have in their folders beside the model's source, and what was fetched for them."""
    data = server.data_dir
    found = [path for name in ("tmp", "outbox", "home") for path in data.glob(f"instances/*/{name}/*")]
    return [str(path) for path in [*found, *data.glob("given/*"), *data.glob("tmp/inputs/*")]]


def test_a_model_sees_nothing_of_the_server_but_what_it_may_reach(start_server: StartServer):
    own = {"MY_OWN_SECRET": "hidden", "AWS_SECRET_ACCESS_KEY": "hidden"}
    server = start_server("--allow-net", "10.1.0.0/16", STOKER_BOOTSTRAP_TOKEN=TOKEN, **own)
    version = server.push(MODELS / "surroundings", "local/surroundings")
    with server.client() as client:
        seen = run(client, version)["output"]
    variables = seen["variables"]
    assert variables["GREETING"] == "hello to you"
    assert TOKEN not in str(variables)
    assert "hidden" not in str(variables)
    told = {name: value for name, value in variables.items() if name.startswith(("STOKER_", "REPLICATE_"))}
    del told["STOKER_INSTANCE"]
    assert told == {"STOKER_BASE_URL": server.base_url, "STOKER_ALLOW_NET": "10.1.0.0/16"}
    folder = str(server.data_dir.resolve() / "instances")
    assert all(variables[name].startswith(folder) for name in ("HOME", "TMPDIR"))
    assert seen["temp"] == variables["TMPDIR"]
    assert seen["session"] and seen["main_thread"] and seen["setup_thread"]
    assert {"cog.yaml", "run.py"} <= set(seen["folder_files"])


def test_what_a_model_writes_stays_its_own(start_server: StartServer):
    server = start_server(STOKER_IDLE_S="0.2")
    version = server.push(MODELS / "surroundings", "local/surroundings")
    with server.client() as client:
        run(client, version, {"write": "run.py"})
        run(client, version, {"write": "new.txt"})
        until(lambda: not instances(server), "the instance has gone")
        again = run(client, version)["output"]
    assert "new.txt" not in again["folder_files"]
    source = server.data_dir / "sources" / version / "run.py"
    assert source.read_text() == (MODELS / "surroundings" / "run.py").read_text()


def test_no_temporary_files_stay(server: StokerServer, pushed: Pushed, tmp_path: Path):
    half = server.push(project(tmp_path / "half", HALF), "local/half")
    with server.client() as client:
        before = set(leftovers(server))
        assert "missing.txt does not exist" in run(client, half)["error"]
        for name, given in [
            ("input_files", {"more": ["data:,a", "data:,b"], "opened": "data:,c"}),
            ("input_files", {"one": "data:;base64,@@@"}),
            ("output_values", {"kind": "bytes file"}),
            ("output_values", {"kind": "missing file in a list"}),
        ]:
            body = {"version": pushed(name), "input": given}
            answer = client.post("/v1/predictions", json=body)
            if answer.status_code == 201:
                ended(client, answer.json()["id"])
        until(lambda: set(leftovers(server)) <= before, "everything has been cleared away")


def test_limits_of_memory_and_open_files(start_server: StartServer, tmp_path: Path):
    limits = {"STOKER_INSTANCE_MEMORY_BYTES": str(300 * MIB), "STOKER_INSTANCE_OPEN_FILES": "64"}
    server = start_server(**limits)
    version = server.push(project(tmp_path / "limits", LIMITS), "local/limits")
    with server.client() as client:
        assert run(client, version, {"files": 30, "memory_bytes": 100 * MIB})["status"] == "succeeded"
        files = run(client, version, {"files": 100})
        assert (files["status"], "Too many open files" in files["error"]) == ("failed", True)
        memory = run(client, version, {"memory_bytes": 1024 * MIB})
        assert (memory["status"], memory["error"]) == ("failed", "out of memory")
        assert run(client, version)["output"] == "0 0"


@pytest.mark.parametrize("end", ["stop", "kill", "idle"])
def test_processes_that_a_model_starts_go_with_it(start_server: StartServer, tmp_path: Path, end: str):
    server = start_server(STOKER_IDLE_S="0.2" if end == "idle" else "60")
    version = server.push(project(tmp_path / "tree", TREE), "local/tree")
    with server.client() as client:
        pids = run(client, version)["output"]
    assert len(pids) == 6
    if end != "idle":
        assert all(map(alive, pids))
    if end == "stop":
        server.stop()
    elif end == "kill":
        server.kill()
        server.start()
    until(lambda: not any(map(alive, pids)), "none is left")


def test_an_idle_instance_stops_and_comes_back(start_server: StartServer):
    server = start_server(STOKER_IDLE_S="1")
    version = server.push(MODELS / "state", "local/state")
    with server.client() as client:
        first = run(client, version)["output"]
        second = run(client, version)["output"]
        assert (first["count"], second["count"]) == (1, 2)
        assert first["process"] == second["process"]
        until(lambda: not instances(server), "the instance has gone")
        assert not alive(first["process"])
        assert run(client, version)["output"]["count"] == 1


def test_a_setup_that_fails_says_why_and_is_not_tried_for_ever(start_server: StartServer):
    server = start_server()
    fails = server.push(MODELS / "setup_fails", "local/setup_fails")
    crashes = server.push(MODELS / "setup_crashes", "local/setup_crashes")
    with server.client() as client:
        waiting = [create(client, fails)["id"] for _ in range(3)]
        for failed in [ended(client, id) for id in waiting]:
            assert failed["status"] == "failed"
            assert "the weights are not there" in failed["error"]
            assert "looking for the weights" in failed["logs"]
            assert "Traceback" in failed["logs"]
        crashed = run(client, crashes)
        assert "exited with code 5" in crashed["error"]
        assert "about to die" in crashed["logs"]
        begun = time.monotonic()
        for _ in range(2):
            assert run(client, fails)["status"] == "failed"
        assert time.monotonic() - begun > 1.5, "each failure makes the pause before the next start longer"
    starts = server.log_path.read_text().count("of local/setup_fails ended")
    assert starts <= 4
    assert not instances(server)
    assert not instance_pids(server.data_dir)


def test_setup_may_not_take_longer_than_allowed(start_server: StartServer):
    server = start_server(STOKER_SETUP_TIMEOUT_S="1")
    version = server.push(project(server.data_dir.parent / "slow", SLOW), "local/slow")
    with server.client() as client:
        failed = run(client, version)
    assert "setup took longer than 1 seconds" in failed["error"]
    assert "loading" in failed["logs"]


def test_an_unhealthy_instance_is_replaced(server: StokerServer, pushed: Pushed):
    """The health check runs every ten seconds; here it is the model that turns bad first."""
    with server.client() as client:
        run(client, pushed("health"), {"answer": "false"})
        until(lambda: "local/health" not in {i["model"] for i in instances(server)}, "it has been stopped")
        assert run(client, pushed("health"), {"answer": "true"})["status"] == "succeeded"


def test_an_asynchronous_model_runs_many_at_once_in_one_instance(server: StokerServer, pushed: Pushed):
    version = pushed("concurrent_echo")
    with server.client() as client:
        run(client, version)
        ids = [create(client, version, {"text": str(n), "pause_s": 3})["id"] for n in range(64)]
        done = [ended(client, id) for id in ids]
        assert [each["output"] for each in done] == [str(n) for n in range(64)]
        assert max(each["started_at"] for each in done) < min(each["completed_at"] for each in done)
    assert [i["slots"] for i in instances(server) if i["model"] == "local/concurrent_echo"] == [256]


def test_a_synchronous_model_runs_one_at_a_time_and_in_order(server: StokerServer, pushed: Pushed):
    version = pushed("sleeper")
    with server.client() as client:
        ids = [create(client, version, {"seconds": 0.1, "text": str(n)})["id"] for n in range(5)]
        done = [ended(client, id) for id in ids]
    assert [p["output"] for p in done] == list("01234")
    times = [(p["started_at"], p["completed_at"]) for p in done]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))
    assert len([i for i in instances(server) if i["model"] == "local/sleeper"]) == 1


def test_callers_of_many_versions_at_once(server: StokerServer, pushed: Pushed):
    names = ["empty", "function", "async_function", "state", "output_list"]
    versions = [pushed(name) for name in names]
    outcomes: list[str] = []

    def call(version: str) -> None:
        with server.client() as client:
            outcomes.extend(run(client, version)["status"] for _ in range(5))

    callers = [threading.Thread(target=call, args=(version,)) for version in versions]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert outcomes == ["succeeded"] * 25


def test_a_cancelled_start_harms_nobody(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "setup_slow", "local/setup_slow")
    with server.client() as client:
        first, second = (create(client, version)["id"] for _ in range(2))
        when(client, first, lambda _: instances(server))
        client.post(f"/v1/predictions/{first}/cancel")
        assert ended(client, first)["status"] == "canceled"
        assert ended(client, second)["status"] == "succeeded"
