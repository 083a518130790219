"""``Stoker-Priority``: what an account has waiting for one model goes by urgency."""

from typing import Any

import httpx
import pytest

from tests.conftest import MODELS, StartServer
from tests.contract import things
from tests.contract.platform import Platform
from tests.contract.scripted import never_starts
from tests.contract.story import story
from tests.contract.test_queue_limits import CREATES
from tests.scenarios.api import Json, when


@story
async def test_every_create_takes_it(p: Platform) -> None:
    p.dispatcher.script = never_starts
    for method, route in CREATES:
        for headers, priority in (({"stoker-priority": "high"}, "high"), ({}, "normal")):
            asked = await things.ask(p, method, route, of="alice")
            made = await p.client.request(method, asked.path, headers=headers, **asked.more)
            assert made.status_code == 201, route
            assert p.dispatcher.submitted[-1].priority == priority
            told = (await p.client.get(f"/stoker/predictions/{made.json()['id']}/wait")).json()
            assert told["priority"] == priority


@pytest.mark.parametrize("word", ["urgent", "High", "", "1", "high, low"])
def test_what_it_cannot_be_is_refused(tmp_path: Any, word: str) -> None:
    @story
    async def refuse(p: Platform) -> None:
        for method, route in CREATES:
            asked = await things.ask(p, method, route, of="alice")
            answer = await p.client.request(
                method, asked.path, headers={"stoker-priority": word}, **asked.more
            )
            assert answer.status_code == 422, route
            (problem,) = answer.json()["invalid_fields"]
            assert (problem["field"], problem["type"]) == ("Stoker-Priority", "enum")
            assert problem["description"] == "Must be one of the following: high, normal, low"
        assert p.dispatcher.submitted == []

    refuse(tmp_path)


@story
async def test_openai_s_requests_take_it_as_well(p: Platform) -> None:
    prompt = {"type": "object", "title": "Input", "properties": {"prompt": {"type": "string"}}}
    version = await p.version("writer", input=prompt)
    body = {"model": version.model, "prompt": "Once"}
    url = f"{p.base}/openai/v1/completions"
    answer = await p.client.post(url, json=body, headers={"stoker-priority": "low"})
    assert answer.status_code == 200, answer.text
    assert p.dispatcher.submitted[-1].priority == "low"
    refused = await p.client.post(url, json=body, headers={"stoker-priority": "lowest"})
    assert refused.status_code in (400, 422)
    assert "Must be one of the following: high, normal, low" in refused.json()["error"]["message"]


@story
async def test_another_priority_is_another_request_to_an_idempotency_key(p: Platform) -> None:
    version = await p.version("sketch")
    body = {"version": version.id, "input": {}}
    key = {"idempotency-key": "once", "stoker-priority": "low"}
    assert (await p.client.post("/predictions", json=body, headers=key)).status_code == 201
    again = await p.client.post("/predictions", json=body, headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    other = await p.client.post("/predictions", json=body, headers=key | {"stoker-priority": "high"})
    assert other.status_code == 422


def test_the_urgent_has_the_slot_first_also_after_a_crash(start_server: StartServer) -> None:
    server = start_server(STOKER_MAX_INSTANCES="1")
    version = server.push(MODELS / "cancellable", "local/cancellable")
    with server.client() as client:
        running = ask(client, version, "low")
        when(client, running["id"], lambda p: "started" in p["logs"])
        low, normal, high = (ask(client, version, priority) for priority in ("low", "normal", "high"))
        assert [place(client, one) for one in (low, normal, high)] == [3, 2, 1]
    server.kill()
    server.start()
    with server.client() as client:
        for before, one, after in ((running, high, normal), (high, normal, low)):
            client.post(f"/v1/predictions/{before['id']}/cancel")
            when(client, one["id"], lambda p: "started" in p["logs"])
            assert place(client, after) == 1
        client.post(f"/v1/predictions/{normal['id']}/cancel")
        when(client, low["id"], lambda p: "started" in p["logs"])
        client.post(f"/v1/predictions/{low['id']}/cancel")


def ask(client: httpx.Client, version: str, priority: str) -> Json:
    body = {"version": version, "input": {"limit_s": 600}}
    answer = client.post("/v1/predictions", json=body, headers={"stoker-priority": priority})
    assert answer.status_code == 201, answer.text
    return answer.json()


def place(client: httpx.Client, prediction: Json) -> int:
    told = client.get(f"/v1/stoker/predictions/{prediction['id']}/wait").json()
    return told["wait"]["position"]
