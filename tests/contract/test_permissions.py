"""Who may do what, as a matrix: every route of the table by every kind of caller.

``MATRIX`` has a line a route, and a status a column. The columns under ``alice`` ask for what belongs to the
user alice, those under ``team`` for what belongs to the organisation; the others ask for both (``a/b`` where
the two answers differ). All things are private. Without a token, or with one that is over, it is always 401.
"""

import asyncio
import re
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.routing import Route

from stoker.api.endpoint import Endpoint
from stoker.api.routes import routes
from stoker.core import ids
from stoker.core.catalog import Account, Member, Role, Scope, Token
from stoker.core.scaling import Pool
from stoker.runtime.boots import Boot
from tests.contract import things
from tests.contract.platform import START_US, Platform, platform
from tests.contract.story import WITHIN_S, story_with

OPERATOR = "root"


class Who(NamedTuple):
    account: str
    scope: Scope = "admin"


CALLERS = {
    "alice": Who("alice"),
    "alice.run": Who("alice", "run"),
    "alice.read": Who("alice", "read"),
    "team": Who("team"),
    "ada": Who("ada"),  # an admin of the team
    "mia": Who("mia"),  # a member of the team
    "mia.run": Who("mia", "run"),
    "mia.read": Who("mia", "read"),
    "bob": Who("bob"),  # a stranger to both
    "root": Who(OPERATOR),  # the operator
}
INSTANCE = {
    "version": "0" * 64,
    "deployment": None,
    "training": None,
    "state": "ready",
    "stage": "ready",
    "start": "plain",
    "busy": 0,
    "slots": 1,
    "gpus": [],
}
ROLES: dict[str, Role] = {"ada": "admin", "mia": "member"}

#                                                      alice run read | team ada mia run read | bob root
MATRIX = """
GET     /predictions                                     200 200 200 | 200 200 200 200 200 | 200 200
POST    /predictions                                     201 201 403 | 201 201 201 201 403 | 422 422
GET     /predictions/{id}                                200 200 200 | 200 200 200 200 200 | 404 404
POST    /predictions/{id}/cancel                         200 200 403 | 200 200 200 200 403 | 404 404
POST    /models/{owner}/{name}/predictions               201 201 403 | 201 201 201 201 403 | 404 404
GET     /streams/{key}                                   200 200 200 | 200 200 200 200 200 | 200 200
OPTIONS /streams/{key}                                   204 204 204 | 204 204 204 204 204 | 204 204
GET     /files/stream-{key}                              200 200 200 | 200 200 200 200 200 | 200 200
OPTIONS /files/stream-{key}                              204 204 204 | 204 204 204 204 204 | 204 204
GET     /delivery/{id}/{pass}/{name}                     200 200 200 | 200 200 200 200 200 | 200 200
OPTIONS /delivery/{id}/{pass}/{name}                     204 204 204 | 204 204 204 204 204 | 204 204
GET     /files                                           200 200 200 | 200 200 200 200 200 | 200 200
POST    /files                                           201 201 403 | 201 201 201 201 403 | 201 201
GET     /files/{id}                                      200 200 200 | 200 200 200 200 200 | 404 404
DELETE  /files/{id}                                      204 204 403 | 204 204 204 204 403 | 404 404
GET     /files/{id}/download                             200 200 200 | 200 200 200 200 200 | 200 200
GET     /models                                          200 200 200 | 200 200 200 200 200 | 200 200
POST    /models                                          201 403 403 | 201 201 201 403 403 | 403 403
QUERY   /models                                          200 200 200 | 200 200 200 200 200 | 200 200
GET     /models/{owner}/{name}                           200 200 200 | 200 200 200 200 200 | 404 404
PATCH   /models/{owner}/{name}                           200 403 403 | 200 200 200 403 403 | 404 404
DELETE  /models/{owner}/{name}                           204 403 403 | 204 204 403 403 403 | 404 404
GET     /models/{owner}/{name}/readme                    200 200 200 | 200 200 200 200 200 | 404 404
GET     /models/{owner}/{name}/examples                  200 200 200 | 200 200 200 200 200 | 404 404
GET     /models/{owner}/{name}/versions                  200 200 200 | 200 200 200 200 200 | 404 404
GET     /models/{owner}/{name}/versions/{id}             200 200 200 | 200 200 200 200 200 | 404 404
DELETE  /models/{owner}/{name}/versions/{id}             202 403 403 | 202 202 403 403 403 | 404 404
GET     /deployments                                     200 200 200 | 200 200 200 200 200 | 200 200
POST    /deployments                                     200 403 403 | 200 200 200 403 403 | 422 422
GET     /deployments/{owner}/{name}                      200 200 200 | 200 200 200 200 200 | 404 404
PATCH   /deployments/{owner}/{name}                      200 403 403 | 200 200 200 403 403 | 404 404
DELETE  /deployments/{owner}/{name}                      204 403 403 | 204 204 403 403 403 | 404 404
POST    /deployments/{owner}/{name}/predictions          201 201 403 | 201 201 201 201 403 | 404 404
POST    /models/{owner}/{name}/versions/{id}/trainings   201 404 403 | 201 201 201 404 403 | 404 404
GET     /trainings                                       200 200 200 | 200 200 200 200 200 | 200 200
GET     /trainings/{id}                                  200 200 200 | 200 200 200 200 200 | 404 404
POST    /trainings/{id}/cancel                           200 200 403 | 200 200 200 200 403 | 404 404
GET     /collections                                     200 200 200 | 200 200 200 200 200 | 200 200
GET     /collections/{slug}                              200 200 200 | 200 200 200 200 200 | 200 200
GET     /search                                          200 200 200 | 200 200 200 200 200 | 200 200
GET     /account                                         200 200 200 | 200 200 200 200 200 | 200 200
GET     /hardware                                        200 200 200 | 200 200 200 200 200 | 200 200
GET     /webhooks/default/secret                         200 200 403 | 200 200 200 200 403 | 200 200
POST    /stoker/blobs/missing                            200 403 403 | 200 200 200 403 403 | 200 200
PUT     /stoker/blobs/{sha256}                           201 403 403 | 201 201 201 403 403 | 201 201
POST    /stoker/builds                                   201 403 403 | 201 201 201 403 403 | 422 422
GET     /stoker/builds/{id}                              200 200 200 | 200 200 200 200 200 | 404 404
GET     /stoker/builds/{id}/events                       200 200 200 | 200 200 200 200 200 | 404 404
GET     /stoker/boots                                    200 200 200 | 200 200 200 200 200 | 200 200
GET     /stoker/checkpoints                              403 403 403 | 403 403 403 403 403 | 403 200
POST    /stoker/checkpoints                              403 403 403 | 403 403 403 403 403 | 403 201
GET     /stoker/checkpoints/{id}                         403 403 403 | 403 403 403 403 403 | 403 200
GET     /stoker/fetches/{id}                             403 403 403 | 403 403 403 403 403 | 403 200
DELETE  /stoker/fetches/{id}                             403 403 403 | 403 403 403 403 403 | 403 204
GET     /stoker/fetches/{id}/events                      403 403 403 | 403 403 403 403 403 | 403 200
POST    /stoker/collections                              403 403 403 | 403 403 403 403 403 | 403 201
PATCH   /stoker/collections/{slug}                       403 403 403 | 403 403 403 403 403 | 403 200
DELETE  /stoker/collections/{slug}                       403 403 403 | 403 403 403 403 403 | 403 204
PUT     /stoker/collections/{slug}/models/{owner}/{name} 403 403 403 | 403 403 403 403 403 | 403 404
DELETE  /stoker/collections/{slug}/models/{owner}/{name} 403 403 403 | 403 403 403 403 403 | 403 204
DELETE  /stoker/models/{owner}/{name}                    403 403 403 | 403 403 403 403 403 | 403 404
GET     /stoker/models/{owner}/{name}/cache              200 403 403 | 200 200 200 403 403 | 404 404
PUT     /stoker/models/{owner}/{name}/cache              200 403 403 | 200 200 200 403 403 | 404 404
POST    /stoker/models/{owner}/{name}/examples           201 403 403 | 201 201 201 403 403 | 404 404
PUT     /stoker/models/{owner}/{name}/examples/{id}      200 403 403 | 200 200 200 403 403 | 404 404
DELETE  /stoker/models/{owner}/{name}/examples/{id}      204 403 403 | 204 204 204 403 403 | 404 404
GET     /stoker/models/{owner}/{name}/versions/{id}/aliases 200 200 200 | 200 200 200 200 200 | 404 404
PUT     /stoker/models/{owner}/{name}/versions/{id}/aliases 403 403 403 | 403 403 403 403 403 | 403 404
PUT     /stoker/models/{owner}/{name}/versions/{id}      200 403 403 | 200 200 200 403 403 | 404 404
GET     /stoker/scales                                   200 200 200 | 200 200 200 200 200 | 200 200
GET     /stoker/accounts/{name}/scale                    200 200 200 | 200 200 200 200 200 | 404 200
PATCH   /stoker/accounts/{name}/scale                    200 403 403 | 200 200 403 403 403 | 404 200
GET     /stoker/models/{owner}/{name}/scale              200 200 200 | 200 200 200 200 200 | 404 404
PATCH   /stoker/models/{owner}/{name}/scale              200 403 403 | 200 200 200 403 403 | 404 404
GET     /stoker/models/{owner}/{name}/versions/{id}/scale 200 200 200 | 200 200 200 200 200 | 404 404
PATCH   /stoker/models/{owner}/{name}/versions/{id}/scale 200 403 403 | 200 200 200 403 403 | 404 404
GET     /stoker/deployments/{owner}/{name}/scale         200 200 200 | 200 200 200 200 200 | 404 404
PATCH   /stoker/deployments/{owner}/{name}/scale         200 403 403 | 200 200 200 403 403 | 404 404
POST    /stoker/models/{owner}/{name}/resume             200 403 403 | 200 200 200 403 403 | 404 404
POST    /stoker/deployments/{owner}/{name}/resume        200 403 403 | 200 200 200 403 403 | 404 404
POST    /stoker/predictions/missing                      200 403 403 | 200 200 200 403 403 | 200 200
GET     /stoker/predictions/{id}/wait                    200 200 200 | 200 200 200 200 200 | 404 404
PUT     /stoker/predictions/{id}                         200 403 403 | 200 200 200 403 403 | 409 409
PUT     /stoker/trainings/{id}                           200 403 403 | 200 200 200 403 403 | 409 409
GET     /stoker/tokens                                   200 200 200 | 200 200 403 403 403 | 404 200
POST    /stoker/tokens                                   201 201 403 | 201 201 403 403 403 | 404 201
DELETE  /stoker/tokens/{id}                              204 403 403 | 204 204 404 404 403 | 404 204
GET     /stoker/accounts                                 200 200 200 | 200 200 200 200 200 | 200 200
POST    /stoker/accounts                                 403 403 403 | 403 403 403 403 403 | 403 201
GET     /stoker/accounts/{name}                          200 200 200 | 200 200 200 200 200 | 404 200
PATCH   /stoker/accounts/{name}                          200 403 403 | 200 200 403 403 403 | 404 200
PUT     /stoker/accounts/{name}/webhook-secret           200 403 403 | 200 200 403 403 403 | 404 200
GET     /stoker/accounts/{name}/members                  200 200 200 | 200 200 200 200 200 | 404 200
PUT     /stoker/accounts/{name}/members/{member}         422 403 403 | 200 200 403 403 403 | 404 422/200
DELETE  /stoker/accounts/{name}/members/{member}         404 403 403 | 204 204 403 403 403 | 404 404/204
GET     /stoker/files-secret                             200 200 403 | 200 200 200 200 403 | 200 200
POST    /openai/v1/chat/completions                      200 200 403 | 200 200 200 200 403 | 404 404
POST    /openai/v1/completions                           200 200 403 | 200 200 200 200 403 | 404 404
POST    /openai/v1/images/generations                    200 200 403 | 200 200 200 200 403 | 404 404
POST    /openai/v1/audio/transcriptions                  200 200 403 | 200 200 200 200 403 | 404 404
POST    /openai/v1/audio/translations                    200 200 403 | 200 200 200 200 403 | 404 404
GET     /openai/v1/models                                200 200 200 | 200 200 200 200 200 | 200 200
GET     /openai/v1/models/{model:path}                   200 200 200 | 200 200 200 200 200 | 404 404
GET     /health                                          200 200 200 | 200 200 200 200 200 | 200 200
GET     /openapi.json                                    200 200 200 | 200 200 200 200 200 | 200 200
"""

Row = tuple[str, str]


def matrix() -> dict[Row, dict[str, str]]:
    """The statuses of each route by caller."""
    rows = [line.replace("|", " ").split() for line in MATRIX.strip().splitlines()]
    return {(method, route): dict(zip(CALLERS, rest, strict=True)) for method, route, *rest in rows}


def table() -> list[Row]:
    """Every route that there is, in the order of ``api.routes``."""
    found: list[Row] = []
    for route in routes(None):  # type: ignore[arg-type]
        assert isinstance(route, Route) and isinstance(route.app, Endpoint)
        found += [(method, route.path) for method in route.app.methods]
    return found


def test_every_route_has_its_line() -> None:
    assert sorted(matrix()) == sorted(table())


@pytest.mark.parametrize(("method", "route"), matrix())
def test_route(method: str, route: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with platform(tmp_path / "data", account=OPERATOR) as p:
            headers = await populate(p)
            await asyncio.wait_for(check(p, method, route, headers), WITHIN_S)

    asyncio.run(play())


async def check(p: Platform, method: str, route: str, headers: dict[str, dict[str, str]]) -> None:
    """Every caller's answer; and that what is hidden is answered like what does not exist."""
    for caller, statuses in matrix()[method, route].items():
        for of, expected in wanted(caller, statuses):
            answer = await send(p, method, await things.ask(p, method, route, of=of), headers[caller])
            assert answer.status_code == expected, (caller, of, answer.text)
            if expected == 404 or (expected == 422 and caller == "bob"):
                nothing = await things.ask(p, method, route, of=of, exists=False)
                missing = await send(p, method, nothing, headers[caller])
                assert (missing.status_code, told(missing)) == (answer.status_code, told(answer))
    is_open = (method, route) in open_routes()
    for headers_of_nobody in ({}, headers["expired"], headers["revoked"]):
        answer = await send(p, method, await things.ask(p, method, route, of="alice"), headers_of_nobody)
        assert (answer.status_code == 401) is not is_open
        assert is_open or said(answer) == "You did not pass a valid authentication token"


def wanted(caller: str, statuses: str) -> list[tuple[str, int]]:
    """Whose things the caller asks for, and what it gets."""
    ofs = ("alice", "team") if caller in ("bob", OPERATOR) else ("alice",) if "alice" in caller else ("team",)
    both = statuses.split("/")
    return [(of, int(both[min(n, len(both) - 1)])) for n, of in enumerate(ofs)]


async def send(p: Platform, method: str, ask: things.Ask, headers: dict[str, str]) -> httpx.Response:
    return await p.anonymous.request(method, ask.path, headers=headers, **ask.more)


def told(answer: httpx.Response) -> str:
    """The answer without the names that the request itself had in it."""
    return re.sub(r"model\d+", "model", answer.text)


def said(answer: httpx.Response) -> str:
    """The sentence of an error, in Replicate's shape or in OpenAI's."""
    problem = answer.json()
    return problem["error"]["message"] if "error" in problem else problem["detail"]


def open_routes() -> set[Row]:
    return {
        (method, route.path)
        for route in routes(None)  # type: ignore[arg-type]
        if isinstance(route.app, Endpoint) and route.app.access.open
        for method in route.app.methods
    }


async def populate(p: Platform) -> dict[str, dict[str, str]]:
    """The accounts that the platform does not have yet, and a header for each caller."""
    accounts = p.store.accounts
    for name in ("team", "ada", "mia", "carol", OPERATOR):
        kind = "organization" if name == "team" else "user"
        await accounts.create(Account(name=name, kind=kind, created_us=START_US, webhook_secret="whsec_x"))
    for name, role in ROLES.items():
        member = Member(organization="team", account=name, role=role, created_us=START_US)
        await accounts.set_member(member)
    headers = {caller: await token(p, caller, who) for caller, who in CALLERS.items()}
    headers["expired"] = await token(p, "expired", Who("alice"), expires_us=START_US)
    headers["revoked"] = await token(p, "revoked", Who("alice"), revoked_us=START_US)
    return headers


async def token(p: Platform, id: str, who: Who, **fields: Any) -> dict[str, str]:
    text = f"r8_{id}"
    await p.store.accounts.create_token(
        Token(
            id=id,
            account=who.account,
            name="test",
            digest=ids.token_digest(text),
            hint="r8_",
            created_us=START_US,
            scope=who.scope,
            **fields,
        )
    )
    return {"authorization": f"Bearer {text}"}


@story_with(account=OPERATOR)
async def test_lists_hold_what_the_caller_may_see(p: Platform) -> None:
    headers = await populate(p)
    await p.version("open", owner="bob", visibility="public")
    for owner in ("alice", "team", "bob"):
        await p.version("closed", owner=owner)
    seen = {}
    for caller in ("alice", "team", "mia.read", "bob", "root"):
        listed = (await p.anonymous.get("/models", headers=headers[caller])).json()["results"]
        searched = await p.anonymous.request("QUERY", "/models", content="closed", headers=headers[caller])
        seen[caller] = {f"{model['owner']}/{model['name']}" for model in listed}
        found = {f"{model['owner']}/{model['name']}" for model in searched.json()["results"]}
        assert found == seen[caller] - {"bob/open"}
    assert seen == {
        "alice": {"bob/open", "alice/closed"},
        "team": {"bob/open", "team/closed"},
        "mia.read": {"bob/open", "team/closed"},
        "bob": {"bob/open", "bob/closed"},
        "root": {"bob/open"},
    }


@story_with(account=OPERATOR)
async def test_a_membership_holds_as_long_as_it_lasts(p: Platform) -> None:
    """Also for a version that was found by its id alone while it lasted."""
    headers = await populate(p)
    version = await p.version("closed", owner="team")
    body = {"version": version.id, "input": {}}
    assert (await p.anonymous.post("/predictions", json=body, headers=headers["mia"])).status_code == 201
    members = "/stoker/accounts/team/members"
    listed = (await p.anonymous.get(members, headers=headers["mia.read"])).json()["results"]
    assert [(member["username"], member["role"]) for member in listed] == [
        ("ada", "admin"),
        ("mia", "member"),
    ]
    assert (await p.anonymous.delete(f"{members}/mia", headers=headers["ada"])).status_code == 204
    assert (await p.anonymous.post("/predictions", json=body, headers=headers["mia"])).status_code == 422
    assert (await p.anonymous.get("/models/team/closed", headers=headers["mia"])).status_code == 404
    back = await p.anonymous.put(f"{members}/mia", json={"role": "admin"}, headers=headers["ada"])
    assert (back.status_code, back.json()["role"]) == (200, "admin")
    change = {"retention_s": 60}
    changed = await p.anonymous.patch("/stoker/accounts/team", json=change, headers=headers["mia"])
    assert changed.json()["retention_s"] == 60


@story_with(account=OPERATOR)
async def test_a_public_model_is_for_everyone_to_run_and_for_its_owner_to_change(p: Platform) -> None:
    headers = await populate(p)
    version = await p.version("open", owner="alice", visibility="public")
    for caller, expected in (("bob", 403), ("root", 403), ("mia", 403), ("alice.read", 403), ("alice", 200)):
        got = await p.anonymous.get("/models/alice/open", headers=headers[caller])
        assert got.status_code == 200
        change = {"description": "Draws"}
        patched = await p.anonymous.patch("/models/alice/open", json=change, headers=headers[caller])
        assert patched.status_code == expected, caller
        body = {"version": version.id, "input": {}}
        made = await p.anonymous.post("/predictions", json=body, headers=headers[caller])
        assert made.status_code == (403 if caller == "alice.read" else 201)


@story_with(account=OPERATOR)
async def test_a_model_of_an_organisation_is_the_organisations(p: Platform) -> None:
    headers = await populate(p)
    new = {"owner": "team", "name": "sketch", "visibility": "private", "hardware": "cpu"}
    assert (await p.anonymous.post("/models", json=new, headers=headers["mia"])).status_code == 201
    model = await p.store.models.get("team", "sketch")
    assert model is not None and model.account == "team"
    assert (await p.anonymous.get("/models/team/sketch", headers=headers["ada"])).status_code == 200


@story_with(account=OPERATOR)
async def test_health_tells_of_the_instances_that_the_caller_may_know(p: Platform) -> None:
    headers = await populate(p)
    await p.version("open", owner="bob", visibility="public")
    await p.version("closed", owner="team")
    training = (await things.ask(p, "GET", "/trainings/{id}", of="mia")).path.rpartition("/")[2]
    running = [
        {**INSTANCE, "model": "bob/open"},
        {**INSTANCE, "model": "bob/open", "deployment": "alice/app"},
        {**INSTANCE, "model": "team/closed"},
        {**INSTANCE, "model": "bob/deleted"},
        {**INSTANCE, "model": "bob/open", "training": training},
    ]
    p.dispatcher.running = running
    for caller, seen in (("root", [0, 1, 2, 3, 4]), ("alice", [0, 1]), ("mia.read", [0, 2, 4]), ("bob", [0])):
        told = (await p.anonymous.get(f"{p.base}/health", headers=headers[caller])).json()["instances"]
        assert told == [running[n] for n in seen], caller


@story_with(account=OPERATOR)
async def test_boots_are_told_as_instances_are(p: Platform) -> None:
    headers = await populate(p)
    for name, owner, deployment in (
        ("open", "bob", None),
        ("closed", "team", None),
        ("more", "team", "ada/app"),
    ):
        version = await p.version(name, owner=owner, visibility="public" if name == "open" else "private")
        boot = Boot(
            instance=name,
            version=version,
            pool=Pool(version.id, deployment),
            wanted_us=START_US,
            begun_us=START_US + 1_500_000,
        )
        p.services.boots.add(boot)
    for caller, seen in (("root", "more closed open"), ("mia.read", "closed open"), ("bob", "open")):
        told = (await p.anonymous.get("/stoker/boots", headers=headers[caller])).json()["results"]
        assert [boot["instance"] for boot in told] == seen.split(), caller
    mine = await p.anonymous.get("/stoker/boots?model=bob/open", headers=headers["bob"])
    (boot,) = mine.json()["results"]
    assert (boot["model"], boot["start"], boot["stage"]) == ("bob/open", None, "environment")
    assert (boot["seconds"], boot["error"]) == ({"queue": 1.5}, None)
