"""Servers and workers are killed at any moment; nobody's prediction is lost and no process is left."""

import os
import random
import signal
import threading
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import MODELS, StartServer
from tests.processes import with_variable
from tests.scenarios.api import FINAL, create, ended, get, run, when
from tests.web_server import Web

INTERRUPTED = "Prediction interrupted; please retry (code: PA)"
ORDER = {"starting": 0, "processing": 1} | dict.fromkeys(FINAL, 2)


def instance_pids(data_dir: Path) -> set[int]:
    """Every process that belongs to an instance of the server over this directory."""
    return with_variable("STOKER_INSTANCE", of=data_dir)


def at_work(client: httpx.Client, version: str, **body: Any) -> str:
    """A run of ``cancellable`` that has begun and does not end by itself; its id."""
    id = create(client, version, {"limit_s": 600}, **body)["id"]
    when(client, id, lambda p: "started" in p["logs"])
    return id


def test_killed_while_one_runs_and_others_wait(start_server: StartServer):
    with Web() as web:
        server = start_server("--allow-net", "127.0.0.0/8")
        slow = server.push(MODELS / "cancellable", "local/cancellable")
        with server.client() as client:
            hook = {"webhook": f"{web.url}/hook", "webhook_events_filter": ["completed"]}
            running = at_work(client, slow, **hook)
            waiting = [create(client, slow, {"limit_s": 0.05}, **hook)["id"] for _ in range(3)]
        server.kill()
        server.start()
        with server.client() as client:
            interrupted = get(client, running)
            assert (interrupted["status"], interrupted["error"]) == ("failed", INTERRUPTED)
            assert [ended(client, id)["status"] for id in waiting] == ["succeeded"] * 3
        told = {post.body for post in web.await_posts(4)}
        assert len(told) == 4


def test_a_killed_server_leaves_no_process_once_it_is_back(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "cancellable", "local/cancellable")
    with server.client() as client:
        at_work(client, version)
    before = instance_pids(server.data_dir)
    assert before
    server.kill()
    server.start()
    assert not before & instance_pids(server.data_dir)
    assert server.stop() == 0
    assert not instance_pids(server.data_dir)
    assert not list((server.data_dir / "instances").glob("*"))


def test_acknowledged_is_never_lost_and_no_status_moves_backwards(start_server: StartServer):
    """The server is killed again and again under load, at moments drawn by chance."""
    server = start_server()
    version = server.push(MODELS / "concurrent_echo", "local/concurrent-echo")
    moments = random.Random(11)
    seen: dict[str, int] = {}
    for _ in range(4):
        _create_until_killed(server, version, seen, after=moments.randrange(5, 120))
        server.start()
        with server.client() as client:
            for id, highest in seen.items():
                assert ORDER[get(client, id)["status"]] >= highest, id
    with server.client() as client:
        for id in seen:
            prediction = ended(client, id)
            assert prediction["status"] == "succeeded" or prediction["error"] == INTERRUPTED


def _create_until_killed(server: "StartServer", version: str, seen: dict[str, int], *, after: int) -> None:
    """Callers in threads note what they were told; once ``after`` have been, the server is killed."""
    enough = threading.Event()

    def call() -> None:
        with server.client() as client:
            for number in range(1000):
                try:
                    made = create(client, version, {"text": str(number), "pause_s": 0.02 * (number % 3)})
                    seen[made["id"]] = ORDER[made["status"]]
                    seen[made["id"]] = ORDER[get(client, made["id"])["status"]]
                except httpx.TransportError:
                    return
                if len(seen) >= target:
                    enough.set()

    target = len(seen) + after
    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    assert enough.wait(60)
    server.kill()
    for caller in callers:
        caller.join()


def test_a_killed_worker_fails_its_prediction_says_why_and_is_replaced(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "crash", "local/crash")
    with server.client() as client:
        for way, word in [("kill", "SIGKILL"), ("segfault", "SIGSEGV"), ("abort", "SIGABRT"), ("exit", "3")]:
            died = run(client, version, {"way": way})
            assert died["status"] == "failed"
            assert word in died["error"], died["error"]
            assert "about to end" in died["logs"]
        assert run(client, version)["status"] == "succeeded"


def test_a_worker_killed_from_outside(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "cancellable", "local/cancellable")
    with server.client() as client:
        id = at_work(client, version)
        for pid in instance_pids(server.data_dir):
            os.kill(pid, signal.SIGKILL)
        died = ended(client, id)
        assert died["status"] == "failed"
        assert "SIGKILL" in died["error"]
        assert run(client, version, {"limit_s": 0})["status"] == "succeeded"


def test_sigterm_lets_a_run_end_and_keeps_what_waits(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "cancellable", "local/cancellable")
    with server.client() as client:
        running = create(client, version, {"limit_s": 1})["id"]
        when(client, running, lambda p: "started" in p["logs"])
        waiting = create(client, version, {"limit_s": 0.01})["id"]
    assert server.stop() == 0
    server.start()
    with server.client() as client:
        assert get(client, running)["status"] == "succeeded"
        assert ended(client, waiting)["status"] == "succeeded"
