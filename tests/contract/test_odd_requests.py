"""Requests that nobody means and somebody sends: each gets an answer of the document's, never a 500."""

import base64

import httpx

from tests.contract.platform import Platform
from tests.contract.story import story, story_with

SUPERSCRIPT = "\u00b2"
"""A digit by ``str.isdigit`` that ``int`` does not read."""
DEEP = "[" * 3000 + "]" * 3000


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


@story
async def test_a_link_that_is_no_address(p: Platform) -> None:
    await p.model("sketch")
    new = {"owner": "alice", "name": "new", "visibility": "private", "hardware": "cpu"}
    for url in ("http://[", "http://", "http:", "http://:80", "ftp://host", "x"):
        for answer in (
            await p.client.patch("/models/alice/sketch", json={"github_url": url}),
            await p.client.post("/models", json=new | {"github_url": url}),
            await p.client.patch("/stoker/accounts/alice", json={"github_url": url}),
        ):
            assert told(answer) == (422, "- github_url: Does not match format 'uri'\n"), url
    good = await p.client.patch("/models/alice/sketch", json={"github_url": "https://[::1]:8080/a"})
    assert good.json()["github_url"] == "https://[::1]:8080/a"


@story
async def test_paths_that_lead_nowhere(p: Platform) -> None:
    for target in (b"*", b"/", b"//predictions", b"/predictionsx", b"/stoker", b"/v1/openai"):
        answer = await p.client.options(f"{p.base}/nowhere", extensions={"target": target})
        assert told(answer) == (404, "The requested resource could not be found."), target


@story
async def test_numbers_that_are_none(p: Platform) -> None:
    for expiry in (SUPERSCRIPT, "9" * 5000):
        download = await p.anonymous.get("/files/x/download", params={"expiry": expiry})
        assert told(download) == (403, "The link has expired.")
        assert (await p.anonymous.get(f"{p.base}/delivery/x/{expiry}-signature/name")).status_code == 404
    await p.model("sketch")
    build = await p.builder.start("alice/sketch", [])
    log = p.builder.get(build.id)
    assert log is not None
    log.succeed("f" * 64, cached=False)
    after = {"last-event-id": SUPERSCRIPT.encode("latin-1")}
    events = await p.client.get(f"/stoker/builds/{build.id}/events", headers=after)
    assert "event: done\nid: 1\n" in events.text


@story
async def test_json_that_is_nested_deeper_than_can_be_read(p: Platform) -> None:
    cursor = base64.urlsafe_b64encode(f'[1,"a",false,{{}},{DEEP}]'.encode()).decode()
    assert told(await p.client.get("/predictions", params={"cursor": cursor})) == (404, "Invalid cursor")
    metadata = (None, f'{{"a": {DEEP}}}')
    upload = await p.client.post("/files", files={"content": ("x", b"x"), "metadata": metadata})
    assert told(upload) == (422, "- metadata: Invalid type. Expected: object\n")


@story_with(account="alice")
async def test_an_empty_text_is_not_the_same_as_none(p: Platform) -> None:
    version = await p.version("sketch")
    new = {"name": "app", "model": "alice/sketch", "version": version.id, "hardware": "cpu"}
    await p.client.post("/deployments", json=new | {"min_instances": 0, "max_instances": 1})
    for change in ({"version": ""}, {"model": ""}, {"hardware": ""}):
        assert (await p.client.patch("/deployments/alice/app", json=change)).status_code == 422, change
    own = f"/stoker/models/alice/sketch/versions/{version.id}/aliases"
    aliases = {"aliases": [{"id": "f" * 64, "model": ""}]}
    assert told(await p.client.put(own, json=aliases)) == (422, "- aliases.0.model: Must be owner/name\n")
    wanted = {"version": version.id, "input": {}, "webhook": "http://127.0.0.1:9/", "webhook_completed": ""}
    refused = await p.client.post("/predictions", json=wanted)
    assert [field["field"] for field in refused.json()["invalid_fields"]] == ["webhook_completed"]
