"""Things of an account to ask a route for, made afresh for every request. Used by ``test_permissions``."""

import hashlib
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from stoker.api.resources.files import sign, signing_secret
from stoker.core import ids
from stoker.core.catalog import FileRecord, Member, Token, Version
from stoker.core.checkpoints import Wanted
from stoker.core.collections import Collection
from stoker.core.deployments import Deployment, Release
from stoker.core.prediction import Ending, Kind, Prediction, Status
from stoker.packaging.live_build import LiveBuild
from tests.catalog.weights import over, write_safetensors
from tests.contract.platform import FILE, START_US, TEXT, TOKENS, Platform
from tests.contract.scripted import Run

_numbers = itertools.count(1)

SOURCE = b"some source"
FOR_AN_HOUR_S = 3600
_LONG_AGO = "2024-04-26T19:29:04.418669Z"


class Ask(NamedTuple):
    """A request, but for its method and its token."""

    path: str
    more: dict[str, Any]


async def ask(p: Platform, method: str, route: str, *, of: str, exists: bool = True) -> Ask:
    """A request to the route for something of that account; with ``exists`` false for nothing at all."""
    make = next(make for start, make in MAKERS if route.startswith(start))
    params, more = await make(p, of, exists)
    body = BODIES.get((method, route))
    if body is not None:
        more = more | body(of, params)
    path = route.replace(":path", "").format(**params)
    return Ask(p.base + path if path.startswith(("/health", "/delivery", "/openapi.json")) else path, more)


Made = tuple[dict[str, str], dict[str, Any]]
Maker = Callable[[Platform, str, bool], Awaitable[Made]]


async def _nothing(p: Platform, of: str, exists: bool) -> Made:
    return {}, {}


async def _version(p: Platform, of: str) -> Version:
    return await p.version(f"model{next(_numbers)}", owner=of, output=TOKENS)


async def _model(p: Platform, of: str, exists: bool) -> Made:
    name = f"model{next(_numbers)}"
    if not exists:
        return {"owner": of, "name": name, "id": "0" * 64}, {}
    version = await p.version(name, owner=of)
    return {"owner": of, "name": name, "id": version.id}, {}


async def _trainable(p: Platform, of: str, exists: bool) -> Made:
    """The version is there in any case, and ``exists`` is about the destination, which answers for itself."""
    learns = {"type": "object", "title": "TrainingInput", "properties": {}}
    plain = await p.version(f"model{next(_numbers)}", owner=of, schemas={"TrainingInput": learns})
    recipe = msgspec.structs.replace(plain.recipe, train="train.py:train")
    version = msgspec.structs.replace(plain, id=plain.id[::-1], recipe=recipe)
    await p.store.versions.create(version)
    owner, _, name = version.model.partition("/")
    destination, _ = await _bare_model(p, of, exists)
    return {"owner": owner, "name": name, "id": version.id, "destination": destination["name"]}, {}


async def _bare_model(p: Platform, of: str, exists: bool) -> Made:
    name = f"model{next(_numbers)}"
    if exists:
        await p.model(name, owner=of)
    return {"owner": of, "name": name}, {}


async def _new_prediction(p: Platform, of: str, exists: bool) -> Made:
    id = (await _version(p, of)).id if exists else "0" * 64
    return {"version": id}, {}


async def _prediction(p: Platform, of: str, exists: bool) -> Made:
    return await _ended(p, of, await _version(p, of), exists), {}


async def _training(p: Platform, of: str, exists: bool) -> Made:
    return await _ended(p, of, await _version(p, of), exists, kind="training"), {}


async def _ended(
    p: Platform, of: str, version: Version, exists: bool, *, kind: Kind = "prediction"
) -> dict[str, str]:
    now_us = p.clock.now_us()
    prediction = Prediction(
        id=ids.prediction_id(now_us, secrets.token_bytes(10)),
        account=of,
        kind=kind,
        model=version.model,
        version=version.id,
        created_us=now_us,
        stream_key=ids.stream_key(secrets.token_bytes(52)),
    )
    if exists:
        await p.store.predictions.accept(prediction)
        await p.store.predictions.start(prediction.id, p.clock.now_us())
        ending = Ending(status=Status.SUCCEEDED, completed_us=p.clock.now_us())
        await p.store.predictions.finish(prediction.id, ending)
    return {"id": prediction.id, "key": prediction.stream_key}


async def _file(p: Platform, of: str, exists: bool) -> Made:
    blob = await p.services.blobs.put(_once(SOURCE))
    now_us = p.clock.now_us()
    record = FileRecord(
        id=ids.file_id(secrets.token_bytes(16)),
        account=of,
        origin="upload",
        name="f.txt",
        content_type="text/plain",
        size_bytes=blob.size_bytes,
        sha256=blob.sha256,
        md5=blob.md5,
        created_us=now_us,
        expires_us=now_us + FOR_AN_HOUR_S * 1_000_000,
    )
    if exists:
        await p.store.files.create(record)
    link = p.services.links.content(record.id, record.name, expires_us=record.expires_us)
    expiry = str(record.expires_us // 1_000_000)
    signature = sign(await signing_secret(p.services, of), of, record.id, expiry)
    signed = {"owner": of, "expiry": expiry, "signature": signature}
    return signed | {"id": record.id, "name": record.name, "pass": link.split("/")[-2]}, {}


async def _deployment(p: Platform, of: str, exists: bool) -> Made:
    version = await _version(p, of)
    release = Release(
        number=1,
        model=version.model,
        version=version.id,
        hardware="cpu",
        min_instances=0,
        max_instances=2,
        created_us=START_US,
        created_by=of,
    )
    name = f"app{next(_numbers)}"
    if exists:
        made = Deployment(owner=of, name=name, created_us=START_US, release=release)
        assert await p.store.deployments.create(made)
    return {"owner": of, "name": name, "model": version.model, "id": version.id}, {}


async def _collection(p: Platform, of: str, exists: bool) -> Made:
    """With a model in it, of that account."""
    params, _ = await _bare_model(p, of, exists)
    slug = f"collection{next(_numbers)}"
    made = Collection(slug=slug, name=slug, created_us=START_US)
    assert await p.store.collections.create(made)
    await p.store.collections.add(slug, f"{of}/{params['name']}")
    return params | {"slug": slug}, {}


async def _example(p: Platform, of: str, exists: bool) -> Made:
    """A prediction that is kept already: keeping it again is no mistake."""
    version = await _version(p, of)
    params = await _ended(p, of, version, exists)
    owner, _, name = version.model.partition("/")
    now_us = p.clock.now_us()
    assert await p.store.examples.keep(version.model, params["id"], files=[], now_us=now_us) is exists
    return params | {"owner": owner, "name": name if exists else f"{name}-not"}, {}


async def _build(p: Platform, of: str, exists: bool) -> Made:
    params, _ = await _bare_model(p, of, exists)
    if not exists:
        return params | {"id": "nothing"}, {}
    build = await p.builder.start(f"{of}/{params['name']}", [])
    log = p.builder.get(build.id)
    assert isinstance(log, LiveBuild)
    log.succeed("f" * 64, cached=False)
    return params | {"id": build.id}, {}


async def _fetch(p: Platform, of: str, exists: bool) -> Made:
    """A folder with weights, fetched: the id is the fetch's."""
    folder = p.services.settings.data_dir.parent / f"weights{next(_numbers)}"
    folder.mkdir()
    write_safetensors(folder / "model.safetensors", {"w": [next(_numbers)]})
    if not exists:
        return {"id": "nothing"}, {}
    fetch = await p.services.fetches.start(Wanted(source=str(folder)))
    live = p.services.fetches.get(fetch.id)
    assert live is not None
    await over(live)
    return {"id": fetch.id, "source": str(folder)}, {}


async def _checkpoint(p: Platform, of: str, exists: bool) -> Made:
    params, more = await _fetch(p, of, exists)
    live = p.services.fetches.get(params["id"])
    return params | {"id": str(live.seen.checkpoint) if live else "0" * 64}, more


async def _token(p: Platform, of: str, exists: bool) -> Made:
    name = of if exists else "nobody"
    token = Token(
        id=f"made{next(_numbers)}",
        account=of,
        name="x",
        digest=secrets.token_hex(32),
        hint="r8_",
        created_us=START_US,
    )
    if exists:
        await p.store.accounts.create_token(token)
    return {"id": token.id, "account": name}, {}


async def _account(p: Platform, of: str, exists: bool) -> Made:
    """The member is there to be removed again, or changed."""
    if exists and of == "team":
        member = Member(organization=of, account="carol", created_us=START_US)
        await p.store.accounts.set_member(member)
    return {"name": of if exists else "nobody", "member": "carol"}, {}


async def _reader(p: Platform, of: str, exists: bool) -> Made:
    """A model that reads and listens, and gives text."""
    sound = {"type": "string", "format": "uri"}
    inputs = {"prompt": {"type": "string"}, "audio": sound, "translate": {"type": "boolean"}}
    return await _able(p, of, exists, inputs, TEXT, gives="text")


async def _painter(p: Platform, of: str, exists: bool) -> Made:
    return await _able(p, of, exists, {"prompt": {"type": "string"}}, FILE, gives="https://files.test/a.png")


async def _able(
    p: Platform, of: str, exists: bool, inputs: dict[str, Any], output: dict[str, Any], *, gives: str
) -> Made:
    """A model that can answer OpenAI's clients, and does."""
    name = f"model{next(_numbers)}"
    if exists:
        await p.version(name, owner=of, input={"type": "object", "properties": inputs}, output=output)

    async def answer(run: Run) -> None:
        await run.start()
        run.emit(gives, item=False)
        await run.end()

    p.dispatcher.script = answer
    return {"model": f"{of}/{name}"}, {}


async def _blob(p: Platform, of: str, exists: bool) -> Made:
    return {"sha256": hashlib.sha256(SOURCE).hexdigest()}, {}


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


MAKERS: tuple[tuple[str, Maker], ...] = (
    ("/predictions/{id}", _prediction),
    ("/predictions", _new_prediction),
    ("/trainings/{id}", _training),
    ("/streams", _prediction),
    ("/files/stream-", _prediction),
    ("/files", _file),
    ("/delivery", _file),
    ("/models/{owner}/{name}/versions/{id}/trainings", _trainable),
    ("/models/{owner}/{name}/", _model),
    ("/models", _bare_model),
    ("/deployments", _deployment),
    ("/collections/", _collection),
    ("/openai/v1/images", _painter),
    ("/openai/v1", _reader),
    ("/stoker/blobs", _blob),
    ("/stoker/collections", _collection),
    ("/stoker/models/{owner}/{name}/examples", _example),
    ("/stoker/models", _model),
    ("/stoker/deployments", _deployment),
    ("/stoker/predictions", _prediction),
    ("/stoker/trainings", _training),
    ("/stoker/builds", _build),
    ("/stoker/fetches", _fetch),
    ("/stoker/checkpoints", _checkpoint),
    ("/stoker/tokens", _token),
    ("/stoker/accounts", _account),
    ("", _nothing),
)
"""What makes the things of a path, by how it begins; the first that fits."""

BODIES: dict[tuple[str, str], Callable[[str, dict[str, str]], dict[str, Any]]] = {
    ("POST", "/predictions"): lambda of, params: _json(version=params["version"], input={}),
    ("POST", "/models/{owner}/{name}/predictions"): lambda of, params: _json(input={}),
    ("POST", "/models/{owner}/{name}/versions/{id}/trainings"): lambda of, params: _json(
        destination=f"{of}/{params['destination']}", input={}
    ),
    ("POST", "/files"): lambda of, params: {"files": {"content": ("f.txt", SOURCE)}},
    ("GET", "/files/{id}/download"): lambda of, params: {
        "params": {name: params[name] for name in ("owner", "expiry", "signature")}
    },
    ("POST", "/models"): lambda of, params: _json(
        owner=of, name=f"{params['name']}-new", visibility="private", hardware="cpu"
    ),
    ("QUERY", "/models"): lambda of, params: {"content": b"model"},
    ("PATCH", "/models/{owner}/{name}"): lambda of, params: _json(description="Draws"),
    ("POST", "/deployments"): lambda of, params: _json(
        name=f"{of}/{params['name']}-new",
        model=params["model"],
        version=params["id"],
        hardware="cpu",
        min_instances=0,
        max_instances=1,
    ),
    ("PATCH", "/deployments/{owner}/{name}"): lambda of, params: _json(max_instances=3),
    ("POST", "/deployments/{owner}/{name}/predictions"): lambda of, params: _json(input={}),
    ("POST", "/stoker/blobs/missing"): lambda of, params: _json(sha256=[params["sha256"]]),
    ("PUT", "/stoker/blobs/{sha256}"): lambda of, params: {"content": SOURCE},
    ("POST", "/stoker/builds"): lambda of, params: _json(model=f"{of}/{params['name']}", files=[]),
    ("POST", "/openai/v1/chat/completions"): lambda of, params: _json(
        **params, messages=[{"role": "user", "content": "x"}]
    ),
    ("POST", "/openai/v1/completions"): lambda of, params: _json(**params, prompt="x"),
    ("POST", "/openai/v1/images/generations"): lambda of, params: _json(**params, prompt="x"),
    ("POST", "/openai/v1/audio/transcriptions"): lambda of, params: _sound(params),
    ("POST", "/openai/v1/audio/translations"): lambda of, params: _sound(params),
    ("POST", "/stoker/checkpoints"): lambda of, params: _json(source=params["source"]),
    ("GET", "/search"): lambda of, params: {"params": {"query": "model"}},
    ("POST", "/stoker/collections"): lambda of, params: _json(slug=f"{params['slug']}-new", name="New"),
    ("PATCH", "/stoker/collections/{slug}"): lambda of, params: _json(name="Renamed"),
    ("PUT", "/stoker/models/{owner}/{name}/cache"): lambda of, params: _json(max_age_s=60),
    ("POST", "/stoker/models/{owner}/{name}/examples"): lambda of, params: _json(prediction=params["id"]),
    ("PUT", "/stoker/models/{owner}/{name}/versions/{id}/aliases"): lambda of, params: _json(
        aliases=[{"id": secrets.token_hex(32)}]
    ),
    ("PUT", "/stoker/models/{owner}/{name}/versions/{id}"): lambda of, params: _json(
        created_at=_LONG_AGO,
        cog_version="0.9.5",
        openapi_schema={
            "openapi": "3.0.2",
            "info": {},
            "paths": {},
            "components": {"schemas": {"Input": {}, "Output": {}}},
        },
        imported_from="https://api.example.com",
    ),
    ("PUT", "/stoker/models/{owner}/{name}/examples/{id}"): lambda of, params: _past_run(
        f"{params['owner']}/{params['name']}"
    ),
    ("POST", "/stoker/predictions/missing"): lambda of, params: _json(ids=[params["id"]]),
    ("PUT", "/stoker/predictions/{id}"): lambda of, params: _past_run("acme/kite"),
    ("PUT", "/stoker/trainings/{id}"): lambda of, params: _past_run("acme/kite"),
    ("PUT", "/stoker/accounts/{name}/webhook-secret"): lambda of, params: _json(
        key="whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    ),
    ("GET", "/stoker/tokens"): lambda of, params: {"params": {"account": params["account"]}},
    ("POST", "/stoker/tokens"): lambda of, params: _json(name="laptop", account=params["account"]),
    ("POST", "/stoker/accounts"): lambda of, params: _json(username=f"new{next(_numbers)}"),
    ("PATCH", "/stoker/accounts/{name}/scale"): lambda of, params: _json(idle_s=90),
    ("PATCH", "/stoker/models/{owner}/{name}/scale"): lambda of, params: _json(idle_s=90),
    ("PATCH", "/stoker/models/{owner}/{name}/versions/{id}/scale"): lambda of, params: _json(idle_s=90),
    ("PATCH", "/stoker/deployments/{owner}/{name}/scale"): lambda of, params: _json(idle_s=90),
    ("PATCH", "/stoker/accounts/{name}"): lambda of, params: _json(name="Renamed"),
    ("PUT", "/stoker/accounts/{name}/members/{member}"): lambda of, params: _json(role="member"),
}
"""What else goes with a request."""


def _sound(fields: dict[str, str]) -> dict[str, Any]:
    return {"data": fields, "files": {"file": ("a.mp3", SOURCE)}}


def _past_run(model: str) -> dict[str, Any]:
    ended = {"status": "succeeded", "created_at": _LONG_AGO, "completed_at": _LONG_AGO}
    return _json(model=model, version="f" * 64, input={}, **ended)


def _json(**fields: Any) -> dict[str, Any]:
    return {"json": fields}
