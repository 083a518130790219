"""What goes with a version, and what keeps one: section 5.4."""

from tests.contract.platform import TOKENS, Platform
from tests.contract.scripted import echo
from tests.contract.story import story, story_with
from tests.contract.test_accounts import OPERATED
from tests.contract.test_delivery import stored
from tests.contract.test_deployments import refused


@story
async def test_its_predictions_and_their_files_go_with_it(p: Platform) -> None:
    first, second = await p.version("sketch", output=TOKENS), await p.version("sketch")
    gone, kept = await p.predict(first, prefer="wait"), await p.predict(second, prefer="wait")
    files = [await stored(p, prediction=made["id"]) for made in (gone, kept)]
    example = {"prediction": gone["id"]}
    (await p.client.post("/stoker/models/alice/sketch/examples", json=example)).raise_for_status()

    assert (await p.client.delete(f"/models/alice/sketch/versions/{first.id}")).status_code == 202
    assert await p.store.predictions.remove_deleted() == [gone["id"]]
    assert await p.store.predictions.remove_deleted() == []

    for path in (f"/predictions/{gone['id']}", files[0], gone["urls"]["stream"]):
        assert (await p.client.get(path)).status_code == 404
    assert (await p.client.get("/models/alice/sketch/examples")).json()["results"] == []
    assert (await p.client.get("/models/alice/sketch")).json()["run_count"] == 2
    listed = (await p.client.get("/predictions")).json()["results"]
    assert [prediction["id"] for prediction in listed] == [kept["id"]]
    assert (await p.client.get(files[1])).status_code == 200


@story
async def test_runs_of_the_same_version_pushed_again_stay(p: Platform) -> None:
    version = await p.version("sketch")
    path = f"/models/alice/sketch/versions/{version.id}"
    old = await p.predict(version, prefer="wait")
    assert (await p.client.delete(path)).status_code == 202
    await p.version("sketch", id=version.id)
    new = await p.predict(version, prefer="wait")
    assert await p.store.predictions.remove_deleted() == [old["id"]]
    assert (await p.client.get(f"/predictions/{new['id']}")).status_code == 200


@story
async def test_one_of_which_a_prediction_is_not_over_stays(p: Platform) -> None:
    version = await p.version("sketch")
    path = f"/models/alice/sketch/versions/{version.id}"
    made, run = await p.running(version)
    refused(await p.client.delete(path), 409, "not over")
    await run.end()
    assert (await p.client.get(f"/predictions/{made['id']}")).json()["status"] == "succeeded"
    assert (await p.client.delete(path)).status_code == 202


@story_with(**OPERATED)
async def test_one_that_somebody_else_ran_stays(p: Platform) -> None:
    team = {"username": "team", "type": "organization"}
    (await p.client.post("/stoker/accounts", json=team)).raise_for_status()
    for name, role in (("alice", "admin"), ("bob", "member")):
        member = f"/stoker/accounts/team/members/{name}"
        (await p.client.put(member, json={"role": role})).raise_for_status()
    version = await p.version("sketch", owner="team")
    path = f"/models/team/sketch/versions/{version.id}"
    p.dispatcher.script = echo
    body, wait = {"version": version.id, "input": {}}, {"prefer": "wait"}
    (await p.other.post("/predictions", json=body, headers=wait)).raise_for_status()
    refused(await p.client.delete(path), 409, "Somebody else")
    assert (await p.client.get(path)).status_code == 200


@story_with(**OPERATED)
async def test_one_that_stands_in_for_a_published_id_stays(p: Platform) -> None:
    version = await p.version("sketch")
    path, published = f"/models/alice/sketch/versions/{version.id}", "f" * 64
    given = {"aliases": [{"model": "acme/kite", "id": published}]}
    (await p.client.put(f"/stoker{path}/aliases", json=given)).raise_for_status()
    refused(await p.client.delete(path), 409, "stands in for published ids")
    assert (await p.client.get(f"/models/acme/kite/versions/{published}")).status_code == 200
    (await p.client.put(f"/stoker{path}/aliases", json={"aliases": []})).raise_for_status()
    assert (await p.client.delete(path)).status_code == 202
