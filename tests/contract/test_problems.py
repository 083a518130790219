"""Errors, row by row: section 11. The rows without a cause here (402, 406, 410, 415) never come.

``test_permissions`` has every 401, 403 and 404 of every endpoint.
"""

import errno
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from stoker.core.errors import StorageFailed, StorageFull
from tests.contract.platform import Platform
from tests.contract.story import story, story_with

Json = dict[str, Any]


def problem(answer: httpx.Response, status: int, title: str | None = None) -> Json:
    """The problem, which has what every client parses: Go and Python 1 by these types, Swift ``detail``."""
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert isinstance(body["detail"], str)
    assert body["detail"].strip()
    assert body.get("title") == title
    assert all(isinstance(body.get(name, ""), str) for name in ("type", "title", "instance"))
    return body


def retried_by_python_2(answer: httpx.Response) -> bool:
    """What that client does with it (section 17.6)."""
    if answer.headers.get("x-should-retry") == "false":
        return False
    return answer.status_code in (408, 409, 429) or answer.status_code >= 500


@story
async def test_400_bodies_that_are_no_json(p: Platform) -> None:
    for method, path in (("POST", "/predictions"), ("POST", "/models"), ("PATCH", "/models/alice/sketch")):
        await p.model("sketch") if method == "PATCH" else None
        problem(await p.client.request(method, path, content=b"{"), 400, "Bad request")


@story
async def test_401(p: Platform) -> None:
    for header in ({}, {"authorization": "Bearer r8_wrong"}):
        body = problem(await p.anonymous.get("/account", headers=header), 401, "Unauthenticated")
        assert body["detail"] == "You did not pass a valid authentication token"


@story
async def test_403(p: Platform) -> None:
    new = {"owner": "bob", "name": "x", "visibility": "private", "hardware": "cpu"}
    problem(await p.client.post("/models", json=new), 403, "Forbidden")


@story
async def test_404_has_no_title(p: Platform) -> None:
    for path in ("/predictions/none", "/nothing", "/models/alice/none", "/billing", "/account/credits"):
        body = problem(await p.client.get(path), 404)
        assert body == {"detail": "The requested resource could not be found.", "status": 404}


@story
async def test_405(p: Platform) -> None:
    answer = await p.client.put("/predictions", json={})
    problem(answer, 405, "Method not allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@story
async def test_409_is_not_repeated(p: Platform) -> None:
    await p.model("taken")
    new = {"owner": "alice", "name": "taken", "visibility": "private", "hardware": "cpu"}
    answer = await p.client.post("/models", json=new)
    problem(answer, 409, "Conflict")
    assert not retried_by_python_2(answer)


@story_with(body_limit_bytes=1000, upload_limit_bytes=1000)
async def test_413(p: Platform) -> None:
    problem(await p.client.post("/predictions", json={"input": "x" * 2000}), 413, "Request too large")
    problem(await p.client.post("/files", files={"content": b"x" * 2000}), 413, "Request too large")


@story
async def test_422_of_an_input_of_a_version_and_of_a_body(p: Platform) -> None:
    schema = {
        "type": "object",
        "properties": {"prompt": {"type": "string"}, "steps": {"type": "integer", "maximum": 4}},
        "required": ["prompt"],
    }
    version = await p.version("sketch", input=schema)
    body = {"version": version.id, "input": {"steps": 9}}
    assert problem(await p.client.post("/predictions", json=body), 422, "Input validation failed") == {
        "title": "Input validation failed",
        "detail": "- input: prompt is required\n- input.steps: Must be less than or equal to 4\n",
        "status": 422,
        "invalid_fields": [
            {"type": "required", "field": "input", "description": "prompt is required"},
            {"type": "number_lte", "field": "input.steps", "description": "Must be less than or equal to 4"},
        ],
    }
    unknown = await p.client.post("/predictions", json={"version": "0" * 64, "input": {}})
    assert "does not exist" in problem(unknown, 422, "Invalid version or not permitted")["detail"]
    stray = await p.client.post("/predictions", json=body | {"model": "x"})
    assert problem(stray, 422, "Input validation failed")["invalid_fields"][0] == {
        "type": "additional_property_not_allowed",
        "field": "",
        "description": "Additional property model is not allowed",
    }


@story_with(rate_limit_per_minute=1)
async def test_429_says_when_to_come_back(p: Platform) -> None:
    await p.client.get("/account")
    answer = await p.client.get("/account")
    body = problem(answer, 429, "Too many requests")
    assert body["retry_after"] == int(answer.headers["retry-after"])
    assert retried_by_python_2(answer)


@story
async def test_500_tells_nothing_and_is_not_repeated(p: Platform) -> None:
    failing(p, RuntimeError("at /secret/place"))
    answer = await create(p)
    body = problem(answer, 500, "Internal server error")
    assert body["instance"].startswith("urn:request:")
    assert "secret" not in answer.text
    assert not retried_by_python_2(answer)


@story
async def test_503_of_a_server_that_stops_is_repeated(p: Platform) -> None:
    p.dispatcher.draining = True
    answer = await create(p)
    problem(answer, 503, "Service unavailable")
    assert answer.headers["retry-after"] == "2"
    assert retried_by_python_2(answer)


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (StorageFull(), 507, "Insufficient storage"),
        (OSError(errno.ENOSPC, "No space left on device"), 507, "Insufficient storage"),
        (
            StorageFailed("The database could not be read or written: disk I/O error."),
            503,
            "Storage unavailable",
        ),
    ],
    ids=["database full", "disk full", "disk broken"],
)
def test_a_store_that_fails_says_so_and_is_not_asked_again_at_once(
    tmp_path: Any, error: Exception, status: int, title: str
) -> None:
    @story
    async def tell(p: Platform) -> None:
        failing(p, error)
        answer = await create(p)
        body = problem(answer, status, title)
        assert "disk" in body["detail"]
        assert not retried_by_python_2(answer)

    tell(tmp_path)


@story
async def test_an_upload_onto_a_full_disk_is_a_507_too(p: Platform) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    p.services.blobs.put = full  # type: ignore[method-assign]
    body = problem(await p.client.post("/files", files={"content": b"x"}), 507, "Insufficient storage")
    assert body["detail"].startswith("The server's disk is full.")


def failing(p: Platform, error: Exception) -> None:
    """From now on no prediction can be written."""

    async def fail(*_: Any) -> None:
        raise error

    accept: Callable[..., Awaitable[None]] = fail
    p.store.predictions.accept = accept  # type: ignore[method-assign]


async def create(p: Platform) -> httpx.Response:
    version = await p.version("sketch")
    return await p.client.post("/predictions", json={"version": version.id, "input": {}})
