"""Weights over HTTP: the operator fetches, lists and gives them to versions; whole models go at once."""

from pathlib import Path
from typing import Any

import msgspec

from stoker.core.catalog import Version
from tests.catalog.weights import checkpoint, over
from tests.contract.platform import Platform
from tests.contract.story import story_with


async def fetch(p: Platform, folder: Path) -> dict[str, Any]:
    """The fetch of a folder, when it is over."""
    made = await p.client.post("/stoker/checkpoints", json={"source": str(folder)})
    assert made.status_code == 201, made.text
    live = p.services.fetches.get(made.json()["id"])
    assert live is not None
    await over(live)
    return (await p.client.get(f"/stoker/fetches/{made.json()['id']}")).json()


async def with_checkpoint(p: Platform, version: Version, id: str) -> Version:
    """The version again, as one that runs with that checkpoint."""
    recipe = msgspec.structs.replace(version.recipe, checkpoint=id)
    made = msgspec.structs.replace(version, id=version.id[::-1], recipe=recipe)
    await p.store.versions.create(made)
    return made


def weights(p: Platform) -> Path:
    return checkpoint(p.services.settings.data_dir.parent / "weights")


@story_with(account="alice")
async def test_a_fetch_and_what_came_of_it(p: Platform) -> None:
    folder = weights(p)
    done = await fetch(p, folder)
    assert (done["status"], done["error"], done["cached"]) == ("succeeded", None, False)
    assert done["done_bytes"] == done["total_bytes"] > 0
    version = await with_checkpoint(p, await p.version("kite"), done["checkpoint"])
    listed = (await p.client.get("/stoker/checkpoints")).json()
    (found,) = listed["results"]
    assert listed["fetches"] == []
    assert (found["id"], found["source"], found["commit"]) == (done["checkpoint"], str(folder), None)
    assert (found["size_bytes"], found["versions"]) == (done["total_bytes"], [f"alice/kite:{version.id}"])
    one = (await p.client.get(f"/stoker/checkpoints/{found['id']}")).json()
    files = one.pop("files")
    assert one == found
    assert [file["path"] for file in files] == ["config.json", "model.safetensors"]
    for nothing in ("checkpoints/" + "0" * 64, "checkpoints/..", "fetches/nothing", "fetches/nothing/events"):
        assert (await p.client.get(f"/stoker/{nothing}")).status_code == 404


@story_with(account="alice")
async def test_its_events_tell_the_latest_and_end(p: Platform) -> None:
    done = await fetch(p, weights(p))
    path = f"/stoker/fetches/{done['id']}/events"
    lines = (await p.client.get(path)).text.split("\n")
    assert "event: done" in lines
    (id,) = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
    assert f'data: {{"checkpoint":"{done["checkpoint"]}","cached":false}}' in lines
    assert (await p.client.get(path, headers={"last-event-id": id})).status_code == 204
    again = await p.client.get(path, headers={"last-event-id": "1"})
    assert "event: done" in again.text


@story_with(account="alice")
async def test_what_cannot_be_fetched_is_said_at_once(p: Platform) -> None:
    for body, words in (
        ({"source": "/nowhere/at/all"}, "There is no folder /nowhere/at/all"),
        ({"source": "no slash"}, "neither a model of the hub"),
        ({}, "source is required"),
        ({"source": "a/b", "force": True}, "force is not allowed"),
    ):
        refused = await p.client.post("/stoker/checkpoints", json=body)
        assert refused.status_code == 422
        assert words in refused.text


@story_with(account="alice")
async def test_only_the_operator_gives_weights_to_versions(p: Platform) -> None:
    for owner in ("alice", "bob"):
        await p.model("kite", owner=owner)
    body = {"model": "alice/kite", "files": [], "checkpoint": "1" * 64}
    assert (await p.client.post("/stoker/builds", json=body)).status_code == 201
    assert p.builder.checkpoints == ["1" * 64]
    refused = await p.other.post("/stoker/builds", json=body | {"model": "bob/kite"})
    assert refused.status_code == 403


@story_with(account="alice")
async def test_a_whole_model_goes_unless_something_depends_on_it(p: Platform) -> None:
    base = await p.version("kite", visibility="public")
    newer = await p.version("kite", visibility="public")
    recipe = msgspec.structs.replace(base.recipe, trained_from=f"alice/kite:{base.id}")
    inside = msgspec.structs.replace(newer, id="1" * 64, created_us=newer.created_us + 1, recipe=recipe)
    await p.store.versions.create(inside)
    await p.model("tuned")
    await p.store.versions.create(msgspec.structs.replace(inside, id="2" * 64, model="alice/tuned"))
    refused = await p.client.delete("/stoker/models/alice/kite")
    assert (refused.status_code, "Another model was trained from" in refused.text) == (409, True)
    assert len((await p.client.get("/models/alice/kite/versions")).json()["results"]) == 3
    assert (await p.client.delete("/stoker/models/alice/tuned")).status_code == 204
    assert (await p.client.delete("/stoker/models/alice/kite")).status_code == 204
    assert (await p.client.get("/models/alice/kite")).status_code == 404
    made = await p.client.post("/predictions", json={"version": base.id, "input": {}})
    assert made.status_code == 422
