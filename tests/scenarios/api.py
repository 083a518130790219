"""The few calls that the stories make, in their plainest form."""

import time
from typing import Any

import httpx

Json = dict[str, Any]
Event = dict[str, str]

FINAL = ("succeeded", "failed", "canceled")
WITHIN_S = 60.0


def create(client: httpx.Client, version: str, input: Json | None = None, **body: Any) -> Json:
    """A prediction, created in the background."""
    answer = client.post("/v1/predictions", json={"version": version, "input": input or {}, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def run(client: httpx.Client, version: str, input: Json | None = None, **body: Any) -> Json:
    """A prediction, waited for."""
    return ended(client, create(client, version, input, **body)["id"])


def get(client: httpx.Client, id: str) -> Json:
    answer = client.get(f"/v1/predictions/{id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(client: httpx.Client, id: str) -> Json:
    """The prediction in its final state."""
    return when(client, id, lambda prediction: prediction["status"] in FINAL)


def when(client: httpx.Client, id: str, holds: Any) -> Json:
    """The prediction, as soon as something holds of it (polled, as the clients do)."""
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        prediction = get(client, id)
        if holds(prediction):
            return prediction
    raise AssertionError(f"it did not come to hold: {prediction}")


def events(client: httpx.Client, url: str, *, after: str | None = None, most: int = 10_000) -> list[Event]:
    """The events of a stream until its end (or the ``most``-th)."""
    found: list[Event] = []
    headers = {"accept": "text/event-stream"} | ({"last-event-id": after} if after else {})
    with client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        event: Event = {}
        for line in _lines(answer):
            if line == "" and event:
                found.append(event)
                event = {}
                if found[-1]["event"] == "done" or len(found) >= most:
                    return found
            elif line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = event[name] + "\n" + value if name in event else value
    return found


def _lines(answer: httpx.Response) -> Any:
    """Lines split at newlines only, which httpx does not offer."""
    rest = ""
    for text in answer.iter_text():
        *lines, rest = (rest + text).split("\n")
        yield from lines
