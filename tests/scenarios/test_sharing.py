"""Repeated and equal requests, with real models: nothing is made or run twice, whatever is killed."""

import httpx

from tests.conftest import MODELS, StartServer
from tests.scenarios.api import Json, create, ended, get, run, when

HOUR = {"stoker-cache": "max-age=3600"}


def ask(
    client: httpx.Client, version: str, input: Json, headers: dict[str, str]
) -> tuple[Json, httpx.Headers]:
    answer = client.post("/v1/predictions", json={"version": version, "input": input}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json(), answer.headers


def test_a_key_makes_nothing_twice_though_the_server_is_killed(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "cancellable", "local/cancellable")
    done, running, waiting = ({"idempotency-key": key} for key in ("done", "running", "waiting"))
    with server.client() as client:
        over = ended(client, ask(client, version, {"limit_s": 0}, done)[0]["id"])
        first = ask(client, version, {"limit_s": 600}, running)[0]
        when(client, first["id"], lambda p: "started" in p["logs"])
        second = ask(client, version, {"limit_s": 0.05}, waiting)[0]
    server.kill()
    server.start()
    with server.client() as client:
        again, headers = ask(client, version, {"limit_s": 0}, done)
        assert again == over
        assert headers["idempotent-replayed"] == "true"
        interrupted = ask(client, version, {"limit_s": 600}, running)[0]
        assert (interrupted["id"], interrupted["status"]) == (first["id"], "failed")
        assert ask(client, version, {"limit_s": 0.05}, waiting)[0]["id"] == second["id"]
        assert ended(client, second["id"])["status"] == "succeeded"
        assert len(client.get("/v1/predictions").json()["results"]) == 3


def test_equal_requests_share_a_run_and_then_its_answer(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "cancellable", "local/cancellable")
    asked = {"limit_s": 600}
    with server.client() as client:
        leader, headers = ask(client, version, asked, HOUR)
        assert headers["stoker-cache"] == "miss"
        follower, headers = ask(client, version, asked, HOUR)
        assert headers["stoker-cache"] == "shared"
        when(client, follower["id"], lambda p: "started" in p["logs"])
        client.post(f"/v1/predictions/{leader['id']}/cancel")
        assert get(client, follower["id"])["status"] == "processing"
        client.post(f"/v1/predictions/{follower['id']}/cancel")
        assert get(client, follower["id"])["status"] == "canceled"
        assert run(client, version, {"limit_s": 0})["status"] == "succeeded"


def test_an_answer_with_a_file_is_given_again_after_a_crash(start_server: StartServer):
    server = start_server()
    version = server.push(MODELS / "painter", "local/painter")
    with server.client() as client:
        first = ended(client, ask(client, version, {"prompt": "a kite"}, HOUR)[0]["id"])
        assert first["status"] == "succeeded", first
        plain = ended(client, create(client, version, {"prompt": "a kite"})["id"])
    server.kill()
    server.start()
    with server.client() as client:
        answer, headers = ask(client, version, {"prompt": "a kite"}, HOUR | {"prefer": "wait"})
        assert headers["stoker-cache"] == "hit"
        assert (answer["status"], answer["metrics"]["predict_time"]) == ("succeeded", 0)
        for old, new in zip(_files(first), _files(answer), strict=True):
            assert new != old
            assert client.get(new).content == client.get(old).content
        assert client.get("/v1/models/local/painter").json()["run_count"] == 2
        assert plain["id"] not in (first["id"], answer["id"])


def _files(prediction: Json) -> list[str]:
    output = prediction["output"]
    return output if isinstance(output, list) else [output]
