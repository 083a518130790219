"""What a create is answered when too much waits: 429 for the account's own part, 503 for the model's."""

import json
from typing import Any

import httpx
import pytest

from stoker.core.errors import StokerError, TooManyWaiting, Unavailable
from tests.conftest import MODELS, StartServer
from tests.contract import things
from tests.contract.platform import Platform
from tests.contract.story import story
from tests.servers import StokerServer

CREATES = (
    ("POST", "/predictions"),
    ("POST", "/models/{owner}/{name}/predictions"),
    ("POST", "/deployments/{owner}/{name}/predictions"),
    ("POST", "/models/{owner}/{name}/versions/{id}/trainings"),
)


@story
async def test_every_create_tells_that_the_account_has_too_much_in_line(p: Platform) -> None:
    for method, route in CREATES:
        refused = await create(p, method, route, TooManyWaiting(100, reset_s=30))
        assert refused.status_code == 429, route
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"] == "30"
        assert refused.headers["ratelimit-remaining"] == "0"
        assert refused.json() == {
            "title": "Too many requests",
            "detail": "100 of your predictions are waiting, and no more may. Try again in ~30s.",
            "status": 429,
            "retry_after": 30,
        }


@story
async def test_every_create_tells_that_a_model_has_too_much_in_line(p: Platform) -> None:
    for method, route in CREATES:
        refused = await create(p, method, route, Unavailable("7 predictions wait for this model."))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2"), route
        assert refused.json()["detail"] == "7 predictions wait for this model."


@story
async def test_what_was_refused_is_not_there_and_may_come_again_with_its_key(p: Platform) -> None:
    version = await p.version("sketch")
    body = {"version": version.id, "input": {}}
    key = {"idempotency-key": "again"}
    p.dispatcher.refuses = TooManyWaiting(100, reset_s=30)
    assert (await p.client.post("/predictions", json=body, headers=key)).status_code == 429
    assert (await p.client.get("/predictions")).json()["results"] == []
    p.dispatcher.refuses = None
    made = await p.client.post("/predictions", json=body, headers=key)
    assert (made.status_code, "idempotent-replayed" in made.headers) == (201, False)


async def create(p: Platform, method: str, route: str, refuses: StokerError) -> httpx.Response:
    """A create for something of the caller's, which the dispatcher refuses."""
    p.dispatcher.refuses = None
    asked = await things.ask(p, method, route, of="alice")
    p.dispatcher.refuses = refuses
    return await p.client.request(method, asked.path, **asked.more)


@pytest.fixture
def version(start_server: StartServer) -> tuple[StokerServer, str]:
    """A server on which one prediction of an account may wait, and a version whose runs last."""
    limits = {"STOKER_QUEUE_LIMIT_PER_ACCOUNT": "1", "STOKER_MAX_INSTANCES": "1"}
    server = start_server(**limits)
    return server, server.push(MODELS / "cancellable", "local/cancellable")


def test_a_server_counts_what_waits(version: tuple[StokerServer, str]) -> None:
    """Of real runs: the first has the slot, and whatever is refused leaves room as soon as something goes."""
    server, id = version
    body: dict[str, Any] = {"version": id, "input": {"limit_s": 600}}
    with server.client() as client:
        waiting = [client.post("/v1/predictions", json=body).json()["id"]]
        refused = client.post("/v1/predictions", json=body)
        while refused.status_code == 201:  # the first has its slot by now
            waiting.append(refused.json()["id"])
            assert len(waiting) <= 2
            refused = client.post("/v1/predictions", json=body)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        assert refused.json()["detail"].startswith("1 of your predictions are waiting")
        for id in waiting:
            client.post(f"/v1/predictions/{id}/cancel")
        assert client.post("/v1/predictions", json=body).status_code == 201
        assert len(json.loads(client.get("/v1/predictions").content)["results"]) == len(waiting) + 1
