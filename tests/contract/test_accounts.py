"""Accounts, members and what tokens can do: sections 2 and 4.1, and our own addition to them."""

from typing import Any

import httpx

from tests.contract.platform import TOKEN, Platform
from tests.contract.story import story, story_with

OPERATED = {"account": "alice"}


@story_with(**OPERATED)
async def test_the_operator_makes_accounts(p: Platform) -> None:
    wanted = {"username": "team", "type": "organization", "name": "The team", "retention_s": "never"}
    made = await p.client.post("/stoker/accounts", json=wanted)
    assert (made.status_code, made.json()) == (
        201,
        {
            "type": "organization",
            "username": "team",
            "name": "The team",
            "avatar_url": None,
            "github_url": None,
            "created_at": made.json()["created_at"],
            "role": None,
            "retention_s": "never",
        },
    )
    assert (await p.client.get("/stoker/accounts/TEAM")).json() == made.json()
    assert (await p.client.post("/stoker/accounts", json=wanted)).status_code == 409
    assert (await p.other.post("/stoker/accounts", json=wanted)).status_code == 403
    listed = (await p.client.get("/stoker/accounts")).json()["results"]
    assert [account["username"] for account in listed] == ["team", "bob", "alice"]
    theirs = (await p.other.get("/stoker/accounts")).json()["results"]
    assert [account["username"] for account in theirs] == ["bob"]


@story_with(**OPERATED)
async def test_accounts_that_cannot_be_made(p: Platform) -> None:
    for body in (
        {},
        {"username": "No"},
        {"username": "x", "type": "robot"},
        {"username": "x", "retention_s": -1},
        {"username": "x", "retention_s": "soon"},
        {"username": "x", "avatar_url": "javascript:alert(1)"},
        {"username": "x", "name": "x" * 201},
        {"username": "x", "surprise": 1},
    ):
        answer = await p.client.post("/stoker/accounts", json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json()["invalid_fields"]


@story
async def test_an_account_changes_itself(p: Platform) -> None:
    change = {
        "name": "Alice A.",
        "avatar_url": "https://a.example/x.png",
        "github_url": "https://g.example/a",
    }
    changed = await p.client.patch("/stoker/accounts/alice", json=change | {"retention_s": 0})
    assert (changed.status_code, changed.json()["retention_s"]) == (200, 0)
    shown = (await p.client.get("/account")).json()
    assert shown == {"type": "user", "username": "alice", **change}
    change = {"name": None, "avatar_url": None, "retention_s": None}
    assert (await p.client.patch("/stoker/accounts/alice", json=change)).json()["retention_s"] is None
    assert (await p.client.get("/account")).json()["name"] == "alice"
    assert (await p.other.patch("/stoker/accounts/alice", json=change)).status_code == 404


@story_with(**OPERATED)
async def test_who_can_be_a_member(p: Platform) -> None:
    for name in ("team", "crew"):
        await p.client.post("/stoker/accounts", json={"username": name, "type": "organization"})
    members = "/stoker/accounts/team/members"
    for name, body, status in (
        ("bob", {"role": "owner"}, 422),
        ("nobody", {}, 422),
        ("crew", {}, 422),
        ("bob", {}, 200),
        ("BOB", {"role": "admin"}, 200),
    ):
        assert (await p.client.put(f"{members}/{name}", json=body)).status_code == status
    (member,) = (await p.other.get(members)).json()["results"]
    assert (member["username"], member["role"]) == ("bob", "admin")
    seen = (await p.other.get("/stoker/accounts")).json()["results"]
    assert {account["username"]: account["role"] for account in seen} == {"team": "admin", "bob": "admin"}
    assert (await p.other.delete(f"{members}/bob")).status_code == 204
    assert (await p.other.get(members)).status_code == 404


async def minted(p: Platform, client: httpx.AsyncClient, **fields: Any) -> tuple[httpx.AsyncClient, Any]:
    """A new token's object, and a client that has it."""
    made = await client.post("/stoker/tokens", json={"name": "x"} | fields)
    assert made.status_code == 201, made.text
    headers = {"authorization": f"Bearer {made.json()['token']}"}
    return httpx.AsyncClient(base_url=f"{p.base}/v1", headers=headers), made.json()


@story
async def test_a_token_makes_none_that_can_do_more(p: Platform) -> None:
    run, made = await minted(p, p.client, scope="run", expires_in_s=3600)
    assert (made["scope"], made["account"], made["last_used_at"]) == ("run", "alice", None)
    async with run:
        child, made_by_run = await minted(p, run)
        assert (made_by_run["scope"], made_by_run["expires_at"]) == ("run", made["expires_at"])
        async with child:
            assert (await child.get("/account")).status_code == 200
        for more in ({"scope": "admin"}, {"expires_in_s": 7200}):
            answer = await run.post("/stoker/tokens", json={"name": "x"} | more)
            assert answer.status_code == 403, more
        assert (await run.delete("/stoker/tokens/token-of-alice")).status_code == 403
        assert (await run.delete(f"/stoker/tokens/{made_by_run['id']}")).status_code == 204
    for wrong in ({"scope": "all"}, {"expires_in_s": 0}, {"expires_in_s": -1}, {"expires_in_s": "1d"}):
        assert (await p.client.post("/stoker/tokens", json={"name": "x"} | wrong)).status_code == 422


@story
async def test_an_expired_token_is_an_unknown_one(p: Platform) -> None:
    short, made = await minted(p, p.client, expires_in_s=60)
    async with short:
        assert (await short.get("/account")).status_code == 200
        p.clock.advance(61)
        answer = await short.get("/account")
        unknown = await p.anonymous.get("/account", headers={"authorization": "Bearer r8_unknown"})
        assert (answer.status_code, answer.text) == (401, unknown.text)
        assert "ratelimit-remaining" not in answer.headers
    listed = (await p.client.get("/stoker/tokens")).json()["results"]
    assert made["id"] in {token["id"] for token in listed}


@story
async def test_the_last_use_is_noted_now_and_then(p: Platform) -> None:
    async def used() -> Any:
        token = await p.store.accounts.token("token-of-alice")
        assert token is not None
        return token.used_us

    await p.client.get("/account")
    assert await used() is None, "nothing is written on the way of a request"
    await p.services.tokens.step(5)
    assert await used() == 5
    await p.services.tokens.step(6)
    assert await used() == 5, "it was not used again"
    listed = (await p.client.get("/stoker/tokens")).json()["results"]
    assert listed[0]["last_used_at"] > "2026"
    assert TOKEN not in str(listed)
