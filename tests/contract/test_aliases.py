"""The registry of ids: what is pinned to a published version id runs on the local stand-in (section 6)."""

from typing import Any

from stoker.core.catalog import Account, Member
from tests.contract.platform import START_US, Platform
from tests.contract.story import story_with

PUBLISHED, OLDER = "f" * 64, "e" * 64


def path(version: str, model: str = "alice/kite") -> str:
    return f"/stoker/models/{model}/versions/{version}/aliases"


async def put(p: Platform, version: str, *aliases: dict[str, Any], model: str = "alice/kite") -> int:
    return (await p.client.put(path(version, model), json={"aliases": aliases})).status_code


@story_with(account="alice")
async def test_a_published_id_runs_and_is_read_under_every_spelling(p: Platform) -> None:
    version = await p.version("kite", visibility="public")
    given = {"model": "acme/kite", "id": PUBLISHED}
    answer = await p.client.put(path(version.id), json={"aliases": [given]})
    assert (answer.status_code, answer.json()) == (200, {"aliases": [given]})
    assert (await p.client.get(path(version.id))).json() == {"aliases": [given]}
    for named in (PUBLISHED, f"acme/kite:{PUBLISHED}", f"Alice/Kite:{PUBLISHED}", "acme/kite"):
        for client in (p.client, p.other):
            made = await client.post("/predictions", json={"version": named, "input": {}})
            assert made.status_code == 201, named
            assert (made.json()["version"], made.json()["model"]) == (version.id, "alice/kite")
    made = await p.client.post("/models/acme/kite/predictions", json={"input": {}})
    assert (made.status_code, made.json()["version"]) == (201, version.id)
    for ref in ("acme/kite", "alice/kite"):
        found = await p.client.get(f"/models/{ref}/versions/{PUBLISHED}")  # gotcha 14
        assert (found.status_code, found.json()["id"]) == (200, version.id)
    model = (await p.client.get("/models/acme/kite")).json()
    assert (model["owner"], model["latest_version"]["id"]) == ("alice", version.id)
    versions = (await p.client.get("/models/acme/kite/versions")).json()["results"]
    assert [one["id"] for one in versions] == [version.id]
    for wrong in (f"acme/other:{PUBLISHED}", f"acme/kite:{OLDER}", OLDER):
        refused = await p.client.post("/predictions", json={"version": wrong, "input": {}})
        assert (refused.status_code, refused.json()["title"]) == (422, "Invalid version or not permitted")
    assert (await p.client.get(f"/models/acme/other/versions/{PUBLISHED}")).status_code == 404


@story_with(account="alice")
async def test_a_version_pushed_under_its_published_name_has_its_published_id_too(p: Platform) -> None:
    version = await p.version("kite")
    assert await put(p, version.id, {"model": None, "id": PUBLISHED}) == 200
    newer = await p.version("kite")
    made = await p.client.post("/predictions", json={"version": f"alice/kite:{PUBLISHED}", "input": {}})
    assert made.json()["version"] == version.id != newer.id


@story_with(account="alice")
async def test_what_one_may_not_see_has_no_aliases(p: Platform) -> None:
    version = await p.version("kite")
    await put(p, version.id, {"model": "acme/kite", "id": PUBLISHED})
    for named in (PUBLISHED, f"acme/kite:{PUBLISHED}", "acme/kite"):
        refused = await p.other.post("/predictions", json={"version": named, "input": {}})
        assert refused.status_code == 422
    for ours in ("/models/acme/kite", f"/models/acme/kite/versions/{PUBLISHED}", "/models/acme/kite/readme"):
        assert (await p.other.get(ours)).status_code == 404
        assert (await p.client.get(ours)).status_code == 200


@story_with(account="alice")
async def test_a_name_leads_the_members_of_an_organisation_to_its_private_version(p: Platform) -> None:
    team = Account(name="team", kind="organization", created_us=START_US, webhook_secret="whsec_x")
    await p.store.accounts.create(team)
    for name in ("alice", "bob"):
        member = Member(organization="team", account=name, created_us=START_US)
        await p.store.accounts.set_member(member)
    version = await p.version("kite", owner="team")
    assert await put(p, version.id, {"model": "acme/kite", "id": PUBLISHED}, model="team/kite") == 200
    for named in (PUBLISHED, f"acme/kite:{PUBLISHED}", "acme/kite"):
        made = await p.other.post("/predictions", json={"version": named, "input": {}})
        assert made.json()["version"] == version.id, named
    assert (await p.client.delete("/stoker/accounts/team/members/bob")).status_code == 204
    for named in (PUBLISHED, f"acme/kite:{PUBLISHED}", "acme/kite"):
        refused = await p.other.post("/predictions", json={"version": named, "input": {}})
        assert refused.status_code == 422, named


@story_with(account="alice")
async def test_an_alias_is_for_reading_and_running(p: Platform) -> None:
    version = await p.version("kite")
    await put(p, version.id, {"model": "acme/kite", "id": PUBLISHED})
    assert (await p.client.patch("/models/acme/kite", json={"description": "x"})).status_code == 404
    assert (await p.client.delete("/models/acme/kite")).status_code == 404
    assert (await p.client.delete(f"/models/acme/kite/versions/{version.id}")).status_code == 404
    build = await p.client.post("/stoker/builds", json={"model": "acme/kite", "files": []})
    assert build.status_code == 422
    new = {"owner": "acme", "name": "kite", "visibility": "private", "hardware": "cpu"}
    assert (await p.client.post("/models", json=new)).status_code == 201
    assert (await p.client.get("/models/acme/kite")).json()["owner"] == "acme"


@story_with(account="alice")
async def test_collisions_and_nonsense_are_refused(p: Platform) -> None:
    version, newer, other = await p.version("kite"), await p.version("kite"), await p.version("other")
    assert await put(p, version.id, {"model": "acme/kite", "id": PUBLISHED}) == 200
    for alias, status in (
        ({"model": None, "id": PUBLISHED}, 409),
        ({"model": "acme/second", "id": PUBLISHED}, 409),
        ({"model": "acme/kite", "id": other.id}, 409),
        ({"model": "alice/other", "id": OLDER}, 409),
        ({"model": "acme", "id": OLDER}, 422),
        ({"model": "acme/kite:x", "id": OLDER}, 422),
        ({"model": "acme/kite", "id": "short"}, 422),
        ({"model": "acme/kite"}, 422),
        ({"model": "acme/kite", "id": OLDER, "more": 1}, 422),
    ):
        assert await put(p, newer.id, alias) == status, alias
    assert await put(p, other.id, {"model": "acme/kite", "id": OLDER}, model="alice/other") == 409
    assert (await p.client.get(path(newer.id))).json() == {"aliases": []}
    assert await put(p, "0" * 64, {"id": OLDER}) == 404
    assert await put(p, version.id) == 200
    assert await put(p, newer.id, {"model": None, "id": PUBLISHED}) == 200


@story_with(account="alice")
async def test_only_the_operator_gives_aliases(p: Platform) -> None:
    """They hold for everyone here: whoever could give them could have other people's inputs."""
    version = await p.version("kite", owner="bob", visibility="public")
    body = {"aliases": [{"model": "acme/kite", "id": PUBLISHED}]}
    assert (await p.other.put(path(version.id, "bob/kite"), json=body)).status_code == 403
    assert (await p.client.put(path(version.id, "bob/kite"), json=body)).status_code == 403
    assert (await p.other.get(path(version.id, "bob/kite"))).json() == {"aliases": []}
