"""Our answers to the records of what is there: models, versions, files, collections, the account."""

import httpx

from stoker.api.resources.files import sign
from tests.contract.platform import Platform
from tests.contract.recorded_makers import answers
from tests.contract.recorded_runs import MODEL, VERSION, WAIT, create
from tests.contract.test_delivery import stored

NEW_MODEL = {"owner": "alice", "name": "new", "visibility": "private", "hardware": "cpu"}


@answers("GET", "/v1/models", 200)
async def models(p: Platform) -> httpx.Response:
    await p.version("sketch")
    await p.model("bare")
    return await p.client.get("/models")


@answers("POST", "/v1/models", 201)
async def new_model(p: Platform) -> httpx.Response:
    return await p.client.post("/models", json=NEW_MODEL | {"description": "Draws"})


@answers("QUERY", "/v1/models", 200)
async def found(p: Platform) -> httpx.Response:
    await p.version("sketch", visibility="public")
    return await p.client.request("QUERY", "/models", content="sketch")


async def shown(p: Platform) -> str:
    """The path of a model with an example."""
    made = (await create(p, **WAIT)).json()
    await p.client.post(
        "/stoker/models/alice/draw/examples", json={"prediction": made["id"], "default": True}
    )
    return "/models/alice/draw"


@answers("GET", MODEL, 200)
async def model(p: Platform) -> httpx.Response:
    return await p.client.get(await shown(p))


@answers("GET", f"{MODEL}/examples", 200)
async def examples(p: Platform) -> httpx.Response:
    return await p.client.get(f"{await shown(p)}/examples")


@answers("PATCH", MODEL, 200)
async def changed_model(p: Platform) -> httpx.Response:
    return await p.client.patch(await shown(p), json={"readme": "x"})


@answers("GET", f"{MODEL}/readme", 200)
async def readme(p: Platform) -> httpx.Response:
    return await p.client.get(f"{await shown(p)}/readme")


@answers("DELETE", MODEL, 204)
async def deleted_model(p: Platform) -> httpx.Response:
    await p.model("bare")
    return await p.client.delete("/models/alice/bare")


@answers("GET", f"{MODEL}/versions", 200)
async def versions(p: Platform) -> httpx.Response:
    await p.version("sketch")
    return await p.client.get("/models/alice/sketch/versions")


@answers("GET", VERSION, 200)
async def version(p: Platform) -> httpx.Response:
    return await p.client.get(f"/models/alice/sketch/versions/{(await p.version('sketch')).id}")


@answers("DELETE", VERSION, 202)
async def deleted_version(p: Platform) -> httpx.Response:
    return await p.client.delete(f"/models/alice/sketch/versions/{(await p.version('sketch')).id}")


async def upload(p: Platform) -> httpx.Response:
    return await p.client.post("/files", files={"content": ("x.png", b"x", "image/png")})


@answers("POST", "/v1/files", 201)
async def uploaded(p: Platform) -> httpx.Response:
    return await upload(p)


@answers("GET", "/v1/files", 200)
async def files(p: Platform) -> httpx.Response:
    await upload(p)
    return await p.client.get("/files")


@answers("GET", "/v1/files/{file_id}", 200)
async def file(p: Platform) -> httpx.Response:
    return await p.client.get((await upload(p)).json()["urls"]["get"])


@answers("DELETE", "/v1/files/{file_id}", 204)
async def deleted_file(p: Platform) -> httpx.Response:
    return await p.client.delete((await upload(p)).json()["urls"]["get"])


@answers("GET", "/v1/files/{file_id}/download", 200)
async def downloaded(p: Platform) -> httpx.Response:
    id, expiry = (await upload(p)).json()["id"], str(p.clock.now_us() // 1_000_000 + 60)
    key = (await p.client.get("/stoker/files-secret")).json()["key"]
    query = {"owner": "alice", "expiry": expiry, "signature": sign(key, "alice", id, expiry)}
    answer = await p.anonymous.get(f"/files/{id}/download", params=query)
    assert (answer.headers["content-type"], answer.content) == ("image/png", b"x")
    return answer


@answers("GET", "(output file host) /{path}", 200)
async def output_file(p: Platform) -> httpx.Response:
    answer = await p.anonymous.get(await stored(p))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"].startswith("public,max-age=")
    return answer


async def gathered(p: Platform) -> None:
    await p.version("sketch", visibility="public")
    await p.client.post("/stoker/collections", json={"slug": "images", "name": "Images"})
    await p.client.put("/stoker/collections/images/models/alice/sketch")


@answers("GET", "/v1/collections", 200)
async def collections(p: Platform) -> httpx.Response:
    await gathered(p)
    return await p.client.get("/collections")


@answers("GET", "/v1/collections/{slug}", 200)
async def collection(p: Platform) -> httpx.Response:
    await gathered(p)
    return await p.client.get("/collections/images")


@answers("GET", "/v1/search", 200)
async def search(p: Platform) -> httpx.Response:
    await gathered(p)
    return await p.client.get("/search", params={"query": "sketch"})


@answers("GET", "/v1/account", 200)
async def account(p: Platform) -> httpx.Response:
    return await p.client.get("/account")


@answers("GET", "/v1/hardware", 200)
async def hardware(p: Platform) -> httpx.Response:
    return await p.client.get("/hardware")


@answers("GET", "/v1/webhooks/default/secret", 200)
async def webhook_secret(p: Platform) -> httpx.Response:
    return await p.client.get("/webhooks/default/secret")
