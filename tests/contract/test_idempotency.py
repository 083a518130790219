"""``Idempotency-Key``: whoever repeats a create with its key makes nothing twice."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from stoker.core.errors import StorageFailed
from tests.contract.platform import Platform, platform
from tests.contract.scripted import never_ends
from tests.contract.story import WITHIN_S, story
from tests.contract.things import ask

KEY = {"idempotency-key": "order 66"}
CREATES = [
    "/predictions",
    "/models/{owner}/{name}/predictions",
    "/models/{owner}/{name}/versions/{id}/trainings",
    "/deployments/{owner}/{name}/predictions",
    "/files",
    "/models",
    "/deployments",
    "/stoker/builds",
]


def what(answer: dict[str, Any]) -> Any:
    """What an answer is about."""
    return answer.get("id") or (answer["owner"], answer["name"])


@pytest.mark.parametrize("route", CREATES)
def test_every_create_gives_the_first_answer_again(route: str, tmp_path: Path) -> None:
    async def tell() -> None:
        async with platform(tmp_path / "data") as p:
            p.dispatcher.script = never_ends
            path, more = await ask(p, "POST", route, of="alice")
            first = await p.client.post(path, headers=KEY, **more)
            again = await p.client.post(path, headers=KEY, **more)
            assert first.is_success, first.text
            assert again.status_code == first.status_code
            assert what(again.json()) == what(first.json())
            assert "idempotent-replayed" not in first.headers
            assert again.headers["idempotent-replayed"] == "true"

    asyncio.run(asyncio.wait_for(tell(), WITHIN_S))


@story
async def test_another_body_or_path_with_the_key_is_refused(p: Platform) -> None:
    version = await p.version("sketch")
    await p.predict(version, {"n": 1}, **KEY)
    other = await p.client.post("/predictions", json={"version": version.id, "input": {"n": 2}}, headers=KEY)
    assert other.status_code == 422
    assert "Idempotency-Key was used for another request" in other.json()["detail"]
    elsewhere = await p.client.post("/files", files={"content": ("a.txt", b"a")}, headers=KEY)
    assert elsewhere.status_code == 422
    assert len(p.dispatcher.submitted) == 1


@story
async def test_keys_are_the_accounts_own_and_last_a_day(p: Platform) -> None:
    version = await p.version("sketch", visibility="public")
    first = await p.predict(version, {"n": 1}, **KEY)
    body = {"version": version.id, "input": {"n": 1}}
    others = (await p.other.post("/predictions", json=body, headers=KEY)).json()
    p.clock.advance(24 * 3600 - 60)
    same = await p.predict(version, {"n": 1}, **KEY)
    p.clock.advance(120)
    late = await p.predict(version, {"n": 1}, **KEY)
    assert same["id"] == first["id"]
    assert len({first["id"], others["id"], late["id"]}) == 3


@story
async def test_requests_that_come_at_once_make_one_prediction(p: Platform) -> None:
    version = await p.version("sketch")
    p.dispatcher.script = never_ends
    made = await asyncio.gather(*(p.predict(version, {"n": 1}, **KEY) for _ in range(8)))
    assert len({prediction["id"] for prediction in made}) == 1
    assert len(p.dispatcher.submitted) == 1


@story
async def test_a_repetition_waits_where_it_asks_to(p: Platform) -> None:
    version = await p.version("sketch")
    made, run = await p.running(version)
    del made
    p.dispatcher.script = never_ends
    first = await p.predict(version, {"n": 1}, **KEY)
    run = p.dispatcher.run(first["id"])
    await run.begun.wait()
    again = asyncio.create_task(p.predict(version, {"n": 1}, prefer="wait", **KEY))
    run.emit("drawn", item=False)
    await run.end()
    assert (await again)["id"] == first["id"]
    over = await p.predict(version, {"n": 1}, prefer="wait", **KEY)
    assert (over["id"], over["status"], over["output"]) == (first["id"], "succeeded", "drawn")


@story
async def test_what_was_refused_leaves_the_key_free(p: Platform) -> None:
    input = {"type": "object", "title": "Input", "properties": {"n": {"type": "integer"}}}
    version = await p.version("sketch", input=input)
    body = {"version": version.id, "input": {"n": "one"}}
    refused = await p.client.post("/predictions", json=body, headers=KEY)
    assert refused.status_code == 422
    assert "n" in refused.json()["detail"]
    assert (await p.predict(version, {"n": 1}, **KEY))["input"] == {"n": 1}


@story
async def test_a_broken_key_is_refused(p: Platform) -> None:
    version = await p.version("sketch")
    for key in ("", "k" * 256, "tab\tkey"):
        body = {"version": version.id, "input": {}}
        response = await p.client.post("/predictions", json=body, headers={"idempotency-key": key})
        assert response.status_code == 422, key
        assert response.json()["invalid_fields"][0]["field"] == "Idempotency-Key"


@story
async def test_a_file_is_known_by_its_parts(p: Platform) -> None:
    """Each repetition of a form has a boundary of its own."""
    made = [
        (await p.client.post("/files", files={"content": ("a.txt", b"a")}, headers=KEY)).json()
        for _ in range(2)
    ]
    assert made[0] == made[1]
    changed = await p.client.post("/files", files={"content": ("a.txt", b"b")}, headers=KEY)
    assert changed.status_code == 422
    assert len((await p.client.get("/files")).json()["results"]) == 1


def test_it_holds_across_a_restart(tmp_path: Path) -> None:
    """Also where the server died after the creation: the model is there, its answer was not kept."""
    model = {"owner": "alice", "name": "kite", "visibility": "private", "hardware": "cpu"}

    async def before() -> dict[str, Any]:
        async with platform(tmp_path / "data") as p:
            version = await p.version("sketch")

            async def fails(*_: object, **__: object) -> None:
                raise StorageFailed

            p.store.claims.answer = fails  # type: ignore[method-assign]
            made = await p.client.post("/models", json=model, headers={"idempotency-key": "model"})
            assert made.status_code == 201
            return await p.predict(version, {"n": 1}, prefer="wait", **KEY)

    async def after(first: dict[str, Any]) -> None:
        async with platform(tmp_path / "data") as p:
            body = {"version": first["version"], "input": {"n": 1}}
            again = await p.client.post("/predictions", json=body, headers=KEY)
            assert again.json()["id"] == first["id"]
            assert again.headers["idempotent-replayed"] == "true"
            made = await p.client.post("/models", json=model, headers={"idempotency-key": "model"})
            assert (made.status_code, made.json()["name"]) == (201, "kite")
            new = await p.client.post("/models", json=model, headers={"idempotency-key": "other"})
            assert new.status_code == 409

    first = asyncio.run(asyncio.wait_for(before(), WITHIN_S))
    asyncio.run(asyncio.wait_for(after(first), WITHIN_S))
