"""Webhooks as receivers see them: filtered, signed, throttled, retried, never sent where they may not go."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from tests.conftest import MODELS, Pushed, StartServer
from tests.scenarios.api import create, run
from tests.servers import StokerServer
from tests.web_server import Posted, Web


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


def statuses(posts: list[Posted]) -> list[str]:
    return [json.loads(post.body)["status"] for post in posts]


def test_completed_carries_what_get_answers(server: StokerServer, pushed: Pushed, web: Web):
    with server.client() as client:
        done = run(
            client,
            pushed("empty"),
            {"text": "hi"},
            webhook=f"{web.url}/a?b=c",
            webhook_events_filter=["completed"],
        )
        (post,) = web.await_posts(1)
        assert json.loads(post.body) == client.get(f"/v1/predictions/{done['id']}").json()
    assert post.path == "/a?b=c"
    assert post.headers["content-type"] == "application/json"


def test_a_webhook_is_signed_over_the_very_bytes_that_are_sent(
    server: StokerServer, pushed: Pushed, web: Web
):
    """Gotcha 32."""
    with server.client() as client:
        run(client, pushed("empty"), {}, webhook=web.url, webhook_events_filter=["completed"])
        secret = client.get("/v1/webhooks/default/secret").json()["key"]
    (post,) = web.await_posts(1)
    assert post.headers["webhook-signature"] == signature_of(post, secret)


def signature_of(post: Posted, secret: str) -> str:
    """What section 9.3 has signed, over the bytes as they came."""
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
    return "v1," + base64.b64encode(mac).decode()


def test_start_then_completed(server: StokerServer, pushed: Pushed, web: Web):
    with server.client() as client:
        run(client, pushed("empty"), {}, webhook=web.url, webhook_events_filter=["start", "completed"])
    assert sorted(statuses(web.await_posts(2))) == ["processing", "succeeded"]


def test_output_and_logs_come_while_it_runs(server: StokerServer, pushed: Pushed, web: Web):
    with server.client() as client:
        filter = ["output", "completed"]
        run(client, pushed("concatenate"), {"pause_s": 0.15}, webhook=web.url, webhook_events_filter=filter)
    posts = web.await_that(lambda posts: "succeeded" in statuses(posts))
    assert "processing" in statuses(posts)
    assert len(posts) <= 5, "at most two a second"


def test_a_receiver_that_fails_is_asked_again_with_the_same_id(
    server: StokerServer, pushed: Pushed, web: Web
):
    """Gotcha 32: the same message, so the same id and bytes; each attempt is signed anew."""
    web.statuses = [500, 404]
    with server.client() as client:
        run(client, pushed("empty"), {}, webhook=web.url, webhook_events_filter=["completed"])
        secret = client.get("/v1/webhooks/default/secret").json()["key"]
    posts = web.await_posts(3)
    assert all(post.headers["webhook-signature"] == signature_of(post, secret) for post in posts)
    assert len({post.headers["webhook-id"] for post in posts}) == 1
    assert len({post.body for post in posts}) == 1


def test_a_private_address_that_is_not_listed_is_never_reached(start_server: StartServer, web: Web):
    server = start_server()
    version = server.push(MODELS / "empty", "local/empty")
    with server.client() as client:
        run(client, version, {}, webhook=f"{web.url}/private", webhook_events_filter=["completed"])
        again = create(client, version, {})
        assert again["id"]
    assert server.stop() == 0
    assert web.posted == []
    assert "private address" in server.log_path.read_text()
