"""``Stoker-Cache``: the same input of the same account is answered again without a run, on request."""

import json
from typing import Any

from stoker.core.catalog import FileRecord
from stoker.core.prediction import Status
from tests.contract.platform import FILE, TOKENS, Platform
from tests.contract.scripted import Run
from tests.contract.story import story

HOUR = {"stoker-cache": "max-age=3600"}


async def ask(p: Platform, version: str, input: dict[str, Any], headers: dict[str, str]) -> tuple[str, Any]:
    """How it came to its answer, and the prediction, ended."""
    body = json.dumps({"version": version, "input": input})
    response = await p.client.post("/predictions", content=body, headers={"prefer": "wait", **headers})
    assert response.status_code == 201, response.text
    return response.headers.get("stoker-cache", "none"), response.json()


@story
async def test_the_same_question_is_answered_from_the_store(p: Platform) -> None:
    version = await p.version("sketch", output=TOKENS)

    async def counts(run: Run) -> None:
        await run.start()
        run.log("thinking\n")
        run.emit("a", "b")
        await run.end()

    p.dispatcher.script = counts
    came, first = await ask(p, version.id, {"n": 1, "m": {"a": 1, "b": 2}}, HOUR)
    again_came, again = await ask(p, version.id, {"m": {"b": 2, "a": 1}, "n": 1}, HOUR)
    assert (came, again_came) == ("miss", "hit")
    assert again["id"] != first["id"]
    assert (again["output"], again["logs"], again["status"]) == (["a", "b"], "thinking\n", "succeeded")
    assert (await ask(p, version.id, {"n": 2}, HOUR))[0] == "miss"
    assert (await ask(p, version.id, {"n": 2}, {}))[0] == "none"


@story
async def test_an_answer_lives_as_long_as_the_request_says(p: Platform) -> None:
    version = await p.version("sketch")
    await ask(p, version.id, {"n": 1}, HOUR)
    p.clock.advance(100)
    assert (await ask(p, version.id, {"n": 1}, {"stoker-cache": "max-age=200"}))[0] == "hit"
    p.clock.advance(150)
    assert (await ask(p, version.id, {"n": 1}, {"stoker-cache": "max-age=200"}))[0] == "miss"


@story
async def test_a_model_may_opt_in_and_a_request_out(p: Platform) -> None:
    version = await p.version("sketch")
    path = f"/stoker/models/{version.model}/cache"
    assert (await p.client.get(path)).json() == {"max_age_s": None}
    assert (await p.client.put(path, json={"max_age_s": 60})).json() == {"max_age_s": 60}
    assert (await ask(p, version.id, {"n": 1}, {}))[0] == "miss"
    assert (await ask(p, version.id, {"n": 1}, {}))[0] == "hit"
    assert (await ask(p, version.id, {"n": 1}, {"stoker-cache": "no-store"}))[0] == "none"
    assert (await p.client.put(path, json={"max_age_s": None})).json() == {"max_age_s": None}
    assert (await ask(p, version.id, {"n": 1}, {}))[0] == "none"
    assert (await p.client.put(path, json={"max_age_s": -1})).status_code == 422


@story
async def test_accounts_share_nothing(p: Platform) -> None:
    version = await p.version("sketch", visibility="public")
    await ask(p, version.id, {"n": 1}, HOUR)
    body = {"version": version.id, "input": {"n": 1}}
    assert (await p.other.post("/predictions", json=body, headers=HOUR)).headers["stoker-cache"] == "miss"


@story
async def test_secrets_failures_and_removed_data_are_never_shared(p: Platform) -> None:
    hidden = {"type": "string", "x-cog-secret": True, "format": "password"}
    input = {"type": "object", "title": "Input", "properties": {"key": hidden}}
    secretive = await p.version("vault", input=input)
    for _ in range(2):
        assert (await ask(p, secretive.id, {"key": "s3cret"}, HOUR))[0] == "none"
    version = await p.version("sketch")

    async def fails(run: Run) -> None:
        await run.start()
        await run.end(Status.FAILED, "out of ink")

    succeeds, p.dispatcher.script = p.dispatcher.script, fails
    for _ in range(2):
        assert (await ask(p, version.id, {"n": 1}, HOUR))[0] == "miss"
    p.dispatcher.script = succeeds
    await ask(p, version.id, {"n": 1}, HOUR)
    await p.store.predictions.remove_data("alice", p.clock.now_us())
    assert (await ask(p, version.id, {"n": 1}, HOUR))[0] == "miss"


@story
async def test_files_of_an_answer_are_the_new_predictions_own(p: Platform) -> None:
    version = await p.version("painter", output=FILE)

    async def data() -> Any:
        yield b"picture"

    async def paints(run: Run) -> None:
        await run.start()
        blob = await p.services.blobs.put(data())
        record = FileRecord(
            id=f"f{run.prediction.id}",
            account="alice",
            origin="output",
            name="a.png",
            content_type="image/png",
            size_bytes=blob.size_bytes,
            sha256=blob.sha256,
            created_us=p.clock.now_us(),
            expires_us=p.clock.now_us() + 3_600_000_000,
            prediction=run.prediction.id,
        )
        await p.store.files.create(record)
        run.emit(p.services.links.content(record.id, record.name, expires_us=record.expires_us), item=False)
        await run.end()

    p.dispatcher.script = paints
    _, first = await ask(p, version.id, {"n": 1}, HOUR)
    came, again = await ask(p, version.id, {"n": 1}, HOUR)
    assert came == "hit"
    assert again["output"] != first["output"]
    assert (await p.anonymous.get(again["output"])).content == b"picture"
    await p.store.files.delete(f"f{first['id']}", account="alice")
    assert (await p.anonymous.get(again["output"])).content == b"picture"
    assert (await ask(p, version.id, {"n": 1}, HOUR))[0] == "miss"


@story
async def test_a_header_that_cannot_be_read_is_refused(p: Platform) -> None:
    version = await p.version("sketch")
    for text in ("max-age", "max-age=-1", "public", "max-age=999999999"):
        body = {"version": version.id, "input": {}}
        response = await p.client.post("/predictions", json=body, headers={"stoker-cache": text})
        assert response.status_code == 422, text
        assert response.json()["invalid_fields"][0]["field"] == "Stoker-Cache"
