"""Our answers beside the recorded and documented ones of the real service."""

import httpx
import pytest

from tests.contract.platform import FILES, Platform
from tests.contract.scripted import Run, never_starts
from tests.contract.shapes import RECORDINGS, Recordings
from tests.contract.story import story, story_with
from tests.contract.test_trainings import GOOD, path, trainable

pytestmark = pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings are not beside this checkout")

MODEL = "/v1/models/{owner}/{name}"


def check(response: httpx.Response, method: str, path: str, status: int, variant: str = "") -> None:
    """The answer fits the record."""
    recordings = Recordings()
    recorded = recordings.answer(method, path, status, variant)
    assert response.status_code == status, response.text
    kind = response.headers.get("content-type", "").partition(";")[0]
    assert (
        kind in {text.partition(";")[0] for text in recorded["content_type"]} or not recorded["content_type"]
    )
    if "empty" in recorded.get("body_kind", []):
        assert response.content == b""
    if "body" in recorded:
        assert recordings.differences(response.json(), recorded["body"]) == []


@story
async def test_predictions(p: Platform) -> None:
    version = await p.version("draw", output=FILES)
    wanted = {"version": version.id, "input": {"prompt": "kite"}}
    p.dispatcher.script = never_starts
    made = await p.client.post("/predictions", json=wanted)
    check(made, "POST", "/v1/predictions", 201, "async")
    own = f"/predictions/{made.json()['id']}"
    check(await p.client.get(own), "GET", "/v1/predictions/{prediction_id}", 200, "status=starting")
    await p.dispatcher.run(made.json()["id"]).start()
    canceled = await p.client.post(f"{own}/cancel")
    check(canceled, "POST", "/v1/predictions/{prediction_id}/cancel", 200)
    made = await p.client.post("/models/alice/draw/predictions", json={"input": {}})
    check(made, "POST", f"{MODEL}/predictions", 201, "async")
    running, _ = await p.running(version)
    own = f"/predictions/{running['id']}"
    check(await p.client.get(own), "GET", "/v1/predictions/{prediction_id}", 200, "status=processing")
    check(await p.client.get("/predictions"), "GET", "/v1/predictions", 200)


async def draws(run: Run) -> None:
    await run.start()
    run.log("drawing")
    run.emit(["https://example.com/1.png"], item=False)
    await run.end()


@story
async def test_sync_predictions(p: Platform) -> None:
    p.dispatcher.script = draws
    version = await p.version("draw", output=FILES)
    wait = {"prefer": "wait"}
    made = await p.client.post("/predictions", json={"version": version.id, "input": {}}, headers=wait)
    check(made, "POST", "/v1/predictions", 201, "sync")
    own = f"/predictions/{made.json()['id']}"
    check(await p.client.get(own), "GET", "/v1/predictions/{prediction_id}", 200, "status=succeeded")

    made = await p.client.post("/models/alice/draw/predictions", json={"input": {}}, headers=wait)
    check(made, "POST", f"{MODEL}/predictions", 201, "sync")


@story
async def test_errors(p: Platform) -> None:
    wanted = {"version": "0" * 64, "input": {}}
    check(await p.anonymous.post("/predictions", json=wanted), "POST", "/v1/predictions", 401, "error")
    check(await p.client.post("/predictions", json=wanted), "*", "*", 422)
    check(await p.client.post("/predictions", json=wanted | {"x": 1}), "*", "*", 422)
    check(await p.client.get("/predictions/none"), "*", "*", 404)


@story
async def test_models(p: Platform) -> None:
    new = {"owner": "alice", "name": "sketch", "visibility": "private", "hardware": "cpu"}
    new |= {"description": "Draws"}
    check(await p.client.post("/models", json=new), "POST", "/v1/models", 201)
    version = await p.version("sketch", visibility="public")
    check(await p.client.get("/models"), "GET", "/v1/models", 200)
    check(await p.client.get("/models/alice/sketch"), "GET", MODEL, 200)
    check(await p.client.request("QUERY", "/models", content="sketch"), "QUERY", "/v1/models", 200)
    check(await p.client.patch("/models/alice/sketch", json={"readme": "x"}), "PATCH", MODEL, 200)
    check(await p.client.get("/models/alice/sketch/readme"), "GET", f"{MODEL}/readme", 200)
    check(await p.client.get("/models/alice/sketch/versions"), "GET", f"{MODEL}/versions", 200)
    p.dispatcher.script = draws
    made = await p.predict(version, {}, prefer="wait")
    await p.client.post("/stoker/models/alice/sketch/examples", json={"prediction": made["id"]})
    check(await p.client.get("/models/alice/sketch/examples"), "GET", f"{MODEL}/examples", 200)
    check(await p.client.get("/models/alice/sketch"), "GET", MODEL, 200)
    await p.client.delete(f"/stoker/models/alice/sketch/examples/{made['id']}")
    own = f"/models/alice/sketch/versions/{version.id}"
    check(await p.client.get(own), "GET", f"{MODEL}/versions/{{version_id}}", 200)
    check(await p.client.delete(own), "DELETE", f"{MODEL}/versions/{{version_id}}", 202)
    check(await p.client.delete("/models/alice/sketch"), "DELETE", MODEL, 204)


@story
async def test_files(p: Platform) -> None:
    made = await p.client.post("/files", files={"content": ("x.png", b"x", "image/png")})
    check(made, "POST", "/v1/files", 201)
    own = f"/files/{made.json()['id']}"
    check(await p.client.get("/files"), "GET", "/v1/files", 200)
    check(await p.client.get(own), "GET", "/v1/files/{file_id}", 200)
    check(await p.client.delete(own), "DELETE", "/v1/files/{file_id}", 204)


@story_with(account="alice")
async def test_collections(p: Platform) -> None:
    await p.version("sketch", visibility="public")
    await p.client.post("/stoker/collections", json={"slug": "images", "name": "Images"})
    await p.client.put("/stoker/collections/images/models/alice/sketch")
    check(await p.client.get("/collections"), "GET", "/v1/collections", 200)
    check(await p.client.get("/collections/images"), "GET", "/v1/collections/{slug}", 200)


@story
async def test_search(p: Platform) -> None:
    await p.version("sketch", visibility="public")
    found = await p.client.get("/search", params={"query": "sketch"})
    check(found, "GET", "/v1/search", 200)


@story
async def test_the_rest(p: Platform) -> None:
    check(await p.client.get("/account"), "GET", "/v1/account", 200)
    check(await p.client.get("/hardware"), "GET", "/v1/hardware", 200)
    check(await p.client.get("/webhooks/default/secret"), "GET", "/v1/webhooks/default/secret", 200)


@story
async def test_trainings(p: Platform) -> None:
    version = await trainable(p)
    create = f"{MODEL}/versions/{{version_id}}/trainings"
    p.dispatcher.script = never_starts
    made = await p.client.post(path(version), json=GOOD)
    check(made, "POST", create, 201)
    own = f"/trainings/{made.json()['id']}"
    await p.dispatcher.run(made.json()["id"]).start()
    check(await p.client.get(own), "GET", "/v1/trainings/{training_id}", 200, "status=processing")
    check(await p.client.get("/trainings"), "GET", "/v1/trainings", 200)
    check(await p.client.post(f"{own}/cancel"), "POST", "/v1/trainings/{training_id}/cancel", 200)
    refused = await p.client.post(path(version), json=GOOD | {"destination": "<invalid>"})
    check(refused, "POST", create, 404, "error")
