"""Deployments of real models: a release takes over under load, disabling, instances that are kept."""

import threading
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import MODELS, StartServer
from tests.scenarios.api import ended, get, when
from tests.scenarios.machine import project, until
from tests.scenarios.test_instances import instances
from tests.servers import StokerServer

Json = dict[str, Any]
NAMED = """
import time
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, text: str) -> str:
        time.sleep(0.05)
        return f"NAME {text}"
"""
OWN = "/v1/deployments/local/app"


def deploy(client: httpx.Client, model: str, version: str, *, least: int = 0) -> None:
    wanted = {"name": "app", "model": model, "version": version, "hardware": "cpu"}
    answer = client.post("/v1/deployments", json=wanted | {"min_instances": least, "max_instances": 2})
    assert answer.status_code == 200, answer.text


def change(client: httpx.Client, **fields: Any) -> Json:
    answer = client.patch(OWN, json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()["current_release"]


def predict(client: httpx.Client, **input: Any) -> Json:
    answer = client.post(f"{OWN}/predictions", json={"input": input})
    assert answer.status_code == 201, answer.text
    return answer.json()


def deployed(server: StokerServer) -> list[tuple[str, str]]:
    """Version and state of each instance of the deployment."""
    return [(one["version"], one["state"]) for one in instances(server) if one["deployment"] == "local/app"]


def test_a_release_takes_over_under_load(start_server: StartServer, tmp_path: Path):
    """Callers keep the line full; each answer is of the version that its prediction was accepted with."""
    server = start_server()
    old, new = (
        server.push(project(tmp_path / name, NAMED.replace("NAME", name)), "local/named")
        for name in ("old", "new")
    )
    names = {old: "old", new: "new"}
    made: list[Json] = []
    released = threading.Event()

    def call(caller: int) -> None:
        with server.client() as client:
            for turn in range(200):
                last = released.is_set()
                mine = [predict(client, text=f"{caller} {turn} {number}") for number in range(4)]
                made.extend(mine)
                ended(client, mine[-1]["id"])
                if last:
                    return

    with server.client() as client:
        deploy(client, "local/named", old)
        callers = [threading.Thread(target=call, args=(caller,)) for caller in range(3)]
        for caller in callers:
            caller.start()
        until(lambda: made and get(client, made[0]["id"])["status"] == "succeeded", "the first answer")
        assert change(client, version=new)["number"] == 2
        released.set()
        for caller in callers:
            caller.join(60)
        found = [ended(client, one["id"]) for one in made]
    assert {one["version"] for one in found} == {old, new}
    for before, after in zip(made, found, strict=True):
        assert (after["status"], after["deployment"]) == ("succeeded", "local/app")
        assert after["output"] == f"{names[before['version']]} {before['input']['text']}"
    until(lambda: deployed(server) == [(new, "ready")], "the old release's instance is gone")


def test_disabling_ends_what_runs_and_takes_nothing_new(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "cancellable", "local/cancellable")
    with server.client() as client:
        deploy(client, "local/cancellable", version)
        running, waiting = predict(client, limit_s=600), predict(client, limit_s=600)
        when(client, running["id"], lambda prediction: prediction["status"] == "processing")
        change(client, min_instances=0, max_instances=0)
        assert [ended(client, one["id"])["status"] for one in (running, waiting)] == ["canceled", "canceled"]
        refused = client.post(f"{OWN}/predictions", json={"input": {}})
        assert (refused.status_code, "disabled" in refused.json()["detail"]) == (409, True)
        until(lambda: deployed(server) == [], "its instance is gone")
        assert client.delete(OWN).status_code == 204


def test_an_instance_to_be_kept_is_there_before_anybody_asks_also_after_kill_9(start_server: StartServer):
    server = start_server(STOKER_IDLE_S="0.1")
    version = server.push(MODELS / "empty", "local/empty")
    with server.client() as client:
        deploy(client, "local/empty", version, least=1)
        until(lambda: deployed(server) == [(version, "ready")], "an instance is up")
    server.kill()
    server.start()
    until(lambda: deployed(server) == [(version, "ready")], "an instance is up again")
    with server.client() as client:
        made = predict(client, text="hello")
        assert ended(client, made["id"])["output"] == "hello"
        assert get(client, made["id"])["deployment"] == "local/app"
        change(client, min_instances=0)
        until(lambda: deployed(server) == [], "the instance is gone when it is idle")
