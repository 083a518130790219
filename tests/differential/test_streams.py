"""Both servers stream the same pieces; ours while the model makes them, Cog's not always."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.differential.conftest import Sides
from tests.servers import StokerServer

Event = tuple[str, str]


def events(lines: Any) -> list[Event]:
    """Names and data of server-sent events."""
    found: list[Event] = []
    name, data = "", list[str]()
    for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and name:
            found.append((name, "\n".join(data)))
            name, data = "", []
    return found


def cog_pieces(sides: Sides, model: str, input: dict[str, Any]) -> list[Any]:
    server = sides.cogs.serving(model, sides.schema(model))
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
        status, text = 409, ""
        while status == 409:
            with client.stream(
                "POST", "/predictions", json={"input": input}, headers={"Accept": "text/event-stream"}
            ) as answer:
                status = answer.status_code
                text = answer.read().decode()
    assert status == 200
    return [json.loads(data)["chunk"] for name, data in events(text.split("\n")) if name == "output"]


def our_pieces(server: StokerServer, version: str, input: dict[str, Any]) -> list[str]:
    with server.client() as client:
        created = client.post("/v1/predictions", json={"version": version, "input": input}).json()
        headers = {"Accept": "text/event-stream"}
        text = client.get(created["urls"]["stream"], headers=headers).read().decode()
    assert events(text.split("\n"))[-1] == ("done", "{}")
    return [data for name, data in events(text.split("\n")) if name == "output"]


@pytest.mark.parametrize(
    ("model", "input"),
    [
        ("concatenate", {"pieces": 8}),
        ("token_stream", {"count": 50}),
        ("async_iterator", {"count": 3}),
    ],
)
def test_the_same_pieces(
    model: str, input: dict[str, Any], sides: Sides, server: StokerServer, pushed: Callable[[str], str]
):
    ours = our_pieces(server, pushed(model), input)
    assert ours == cog_pieces(sides, model, input)
    assert len(ours) > 2


def test_an_asynchronous_generator_streams_as_it_yields(server: StokerServer, pushed: Callable[[str], str]):
    """On Cog's server nothing is sent before the generator has ended."""
    input = {"count": 2, "pause_s": 20}
    with server.client() as client:
        created = client.post("/v1/predictions", json={"version": pushed("async_iterator"), "input": input})
        url, cancel = created.json()["urls"]["stream"], created.json()["urls"]["cancel"]
        with client.stream("GET", url, headers={"Accept": "text/event-stream"}) as answer:
            lines = answer.iter_lines()
            assert next(line for line in lines if line.startswith("data:")) == "data: item 0"
            assert client.get(created.json()["urls"]["get"]).json()["status"] == "processing"
        assert client.post(cancel).json()["status"] == "canceled"
