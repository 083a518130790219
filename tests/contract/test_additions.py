"""What we add to the API: blobs, builds, tokens (docs/architecture/extensions.md)."""

import hashlib

from stoker.core.builds import STAGES
from stoker.packaging.live_build import LiveBuild
from tests.contract.platform import Platform
from tests.contract.story import story, story_with
from tests.contract.test_streams import Event, parse


@story
async def test_blobs(p: Platform) -> None:
    digest, other = hashlib.sha256(b"some source").hexdigest(), "0" * 64
    asked = {"sha256": [digest, other, digest]}
    assert (await p.client.post("/stoker/blobs/missing", json=asked)).json() == {"missing": [other, digest]}
    response = await p.client.put(f"/stoker/blobs/{digest}", content=b"some source")
    assert (response.status_code, response.json()) == (201, {"sha256": digest, "size": 11})
    assert (await p.client.post("/stoker/blobs/missing", json=asked)).json() == {"missing": [other]}
    assert (await p.client.put(f"/stoker/blobs/{other}", content=b"another")).status_code == 422
    assert (await p.client.put("/stoker/blobs/..", content=b"x")).status_code in (404, 405, 422)
    assert (await p.client.put("/stoker/blobs/short", content=b"x")).status_code == 422
    assert (await p.client.post("/stoker/blobs/missing", json={"sha256": ["x"]})).status_code == 422
    assert (await p.anonymous.put(f"/stoker/blobs/{digest}", content=b"x")).status_code == 401


@story_with(source_file_limit_bytes=10)
async def test_blob_over_the_limit(p: Platform) -> None:
    digest = hashlib.sha256(b"x" * 11).hexdigest()
    assert (await p.client.put(f"/stoker/blobs/{digest}", content=b"x" * 11)).status_code == 413
    assert (await p.client.post("/stoker/blobs/missing", json={"sha256": [digest]})).json()["missing"]


@story
async def test_who_knows_a_sha256_does_not_have_its_bytes(p: Platform) -> None:
    digest, path = await send(p), "/stoker/blobs/missing"
    await p.model("theirs", owner="bob")
    assert (await p.client.post(path, json={"sha256": [digest]})).json() == {"missing": []}
    assert (await p.other.post(path, json={"sha256": [digest]})).json() == {"missing": [digest]}
    wanted = {"model": "bob/theirs", "files": files()}
    refused = await p.other.post("/stoker/builds", json=wanted)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("The bytes of 'cog.yaml' were not sent")
    assert p.builder.started == []
    await p.other.put(f"/stoker/blobs/{digest}", content=SOURCE)
    assert (await p.other.post(path, json={"sha256": [digest]})).json() == {"missing": []}
    assert (await p.other.post("/stoker/builds", json=wanted)).status_code == 201


@story
async def test_bytes_that_the_sweep_took_are_missing_again(p: Platform) -> None:
    digest = await send(p)
    await p.services.blobs.sweep(set(), older_than_s=-1)
    answer = await p.client.post("/stoker/blobs/missing", json={"sha256": [digest]})
    assert answer.json() == {"missing": [digest]}


SOURCE = b"predict: run.py:run"


async def send(p: Platform) -> str:
    """The sha256 of the source that ``files`` names, which alice has sent."""
    digest = hashlib.sha256(SOURCE).hexdigest()
    assert (await p.client.put(f"/stoker/blobs/{digest}", content=SOURCE)).status_code == 201
    return digest


def files(path: str = "cog.yaml") -> list[dict[str, object]]:
    return [{"path": path, "sha256": hashlib.sha256(SOURCE).hexdigest(), "size_bytes": len(SOURCE)}]


@story
async def test_builds(p: Platform) -> None:
    await p.model("sketch")
    await send(p)
    response = await p.client.post(
        "/stoker/builds", json={"model": "alice/sketch", "files": files(), "strict": True}
    )
    build = response.json()
    assert response.status_code == 201
    assert build.keys() == {"id", "model", "status", "version", "error", "warnings", "created_at"}
    assert (build["status"], build["version"], build["error"], build["warnings"]) == (
        "building",
        None,
        None,
        [],
    )
    model, sent, strict = p.builder.started[0]
    assert (model, sent[0].path, sent[0].executable, strict) == ("alice/sketch", "cog.yaml", False, True)
    assert (await p.client.get(f"/stoker/builds/{build['id']}")).json() == build
    assert (await p.other.get(f"/stoker/builds/{build['id']}")).status_code == 404
    assert (await p.other.get(f"/stoker/builds/{build['id']}/events")).status_code == 404


@story
async def test_builds_that_are_refused(p: Platform) -> None:
    await p.version("open", owner="bob", visibility="public")
    await p.model("sketch")
    await send(p)
    for body, status in (
        ({"model": "alice/none", "files": files()}, 422),
        ({"model": "nonsense", "files": files()}, 422),
        ({"model": "bob/open", "files": files()}, 403),
        ({"model": "alice/sketch"}, 422),
        ({"model": "alice/sketch", "files": [{"path": 1}]}, 422),
    ):
        response = await p.client.post("/stoker/builds", json=body)
        assert response.status_code == status, response.text
    response = await p.client.post("/stoker/builds", json={"model": "alice/sketch", "files": files("../x")})
    assert response.status_code == 422
    assert response.json()["detail"].startswith("The path '../x' must not have empty parts")
    p.builder.refuse = "There is no cog.yaml in what was pushed."
    response = await p.client.post("/stoker/builds", json={"model": "alice/sketch", "files": files("x")})
    assert (response.status_code, response.json()["detail"]) == (422, p.builder.refuse)


@story
async def test_build_events_stream_and_replay(p: Platform) -> None:
    await p.model("sketch")
    await send(p)
    id = (await p.client.post("/stoker/builds", json={"model": "alice/sketch", "files": files()})).json()[
        "id"
    ]
    build = p.builder.get(id)
    assert isinstance(build, LiveBuild)
    build.progress(STAGES[0], "Reading")
    async with p.client.stream("GET", f"/stoker/builds/{id}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        text = ""
        async for part in response.aiter_text():
            if not text:
                build.log("Resolved 3 packages")
                build.warn("Python 3.9 is not here")
                build.succeed("f" * 64, cached=False)
            text += part
    events = parse(text)
    assert events == [
        Event("progress", "1", '{"stage":"source","message":"Reading","done":0,"total":4}'),
        Event("log", "2", "Resolved 3 packages\n"),
        Event("warning", "3", '{"message":"Python 3.9 is not here"}'),
        Event("done", "4", f'{{"version":"{"f" * 64}","cached":false}}'),
    ]
    headers = {"last-event-id": "2"}
    again = await p.client.get(f"/stoker/builds/{id}/events", headers=headers)
    assert parse(again.text) == events[2:]
    over = await p.client.get(f"/stoker/builds/{id}/events", headers={"last-event-id": "4"})
    assert over.status_code == 204
    state = (await p.client.get(f"/stoker/builds/{id}")).json()
    assert (state["status"], state["version"]) == ("succeeded", "f" * 64)
    assert state["warnings"] == ["Python 3.9 is not here"]


@story
async def test_tokens(p: Platform) -> None:
    response = await p.client.post("/stoker/tokens", json={"name": "laptop"})
    made = response.json()
    assert response.status_code == 201
    assert len(made["token"]) == 40 and made["token"].startswith("r8_")
    assert made["hint"] == made["token"][:5] + "***"
    listed = (await p.client.get("/stoker/tokens")).json()["results"]
    assert {token["name"] for token in listed} == {"test", "laptop"}
    assert made["token"] not in str(listed)
    headers = {"authorization": f"Bearer {made['token']}"}
    assert (await p.anonymous.get("/account", headers=headers)).status_code == 200
    assert (await p.other.delete(f"/stoker/tokens/{made['id']}")).status_code == 404
    response = await p.client.delete(f"/stoker/tokens/{made['id']}")
    assert (response.status_code, response.content) == (204, b"")
    assert (await p.anonymous.get("/account", headers=headers)).status_code == 401
    assert (await p.client.delete(f"/stoker/tokens/{made['id']}")).status_code == 404
    listed = (await p.client.get("/stoker/tokens")).json()["results"]
    assert {t["name"]: t["revoked_at"] is None for t in listed} == {"test": True, "laptop": False}
    for name in ("", " ", "x" * 101, 7):
        assert (await p.client.post("/stoker/tokens", json={"name": name})).status_code == 422
