"""Collections: sections 4.2 and 5.2, and our own endpoints to make them."""

from tests.contract.platform import Platform
from tests.contract.story import story, story_with

NEW = {"slug": "images", "name": "Images", "description": "Make pictures", "full_description": "# Images"}
OWN = "/stoker/collections"


@story_with(account="alice")
async def test_create_fill_read_change_and_delete(p: Platform) -> None:
    await p.version("kite", visibility="public")
    await p.model("sketch", visibility="public")
    made = await p.client.post(OWN, json=NEW)
    assert (made.status_code, made.json()) == (201, NEW | {"models": []})
    for name in ("sketch", "KITE", "sketch"):
        put = await p.client.put(f"{OWN}/images/models/alice/{name}")
        assert (put.status_code, put.content) == (204, b"")
    found = (await p.client.get("/collections/images")).json()
    assert found.keys() == {"name", "slug", "description", "full_description", "models"}
    assert [model["name"] for model in found["models"]] == ["sketch", "kite"]
    assert found["models"][1] == (await p.client.get("/models/alice/kite")).json()
    page = (await p.client.get("/collections")).json()
    listed = {"name": "Images", "slug": "images", "description": "Make pictures"}
    assert page == {"next": None, "previous": None, "results": [listed]}
    changed = await p.client.patch(f"{OWN}/images", json={"name": "Pictures", "full_description": None})
    assert (changed.json()["name"], changed.json()["full_description"]) == ("Pictures", None)
    assert (await p.client.delete(f"{OWN}/images/models/alice/sketch")).status_code == 204
    assert (await p.client.delete(f"{OWN}/images/models/alice/sketch")).status_code == 404
    assert [m["name"] for m in (await p.client.get("/collections/images")).json()["models"]] == ["kite"]
    assert (await p.client.delete(f"{OWN}/images")).status_code == 204
    assert (await p.client.get("/collections/images")).status_code == 404
    assert (await p.client.get("/models/alice/kite")).status_code == 200


@story_with(account="alice")
async def test_everyone_reads_what_they_may_see_and_only_the_operator_writes(p: Platform) -> None:
    await p.model("open", visibility="public")
    await p.model("closed")
    await p.client.post(OWN, json=NEW)
    for name in ("closed", "open"):
        await p.client.put(f"{OWN}/images/models/alice/{name}")
    mine = (await p.client.get("/collections/images")).json()["models"]
    theirs = (await p.other.get("/collections/images")).json()["models"]
    assert ([m["name"] for m in mine], [m["name"] for m in theirs]) == (["closed", "open"], ["open"])
    for method, path in (
        ("POST", OWN),
        ("PATCH", f"{OWN}/images"),
        ("DELETE", f"{OWN}/images"),
        ("PUT", f"{OWN}/images/models/alice/open"),
        ("DELETE", f"{OWN}/images/models/alice/open"),
    ):
        refused = await p.other.request(method, path, json=NEW)
        assert (refused.status_code, refused.json()["title"]) == (403, "Forbidden")


@story_with(account="alice")
async def test_collections_that_cannot_be_made_or_filled(p: Platform) -> None:
    await p.client.post(OWN, json=NEW)
    for change, status in (
        ({}, 409),
        ({"slug": "Images"}, 422),
        ({"slug": "a/b"}, 422),
        ({"slug": "x", "name": " "}, 422),
        ({"slug": "x", "description": None}, 422),
        ({"slug": "x", "surprise": 1}, 422),
    ):
        assert (await p.client.post(OWN, json=NEW | change)).status_code == status, change
    assert (await p.client.patch(f"{OWN}/images", json={"slug": "other"})).status_code == 422
    for path in (f"{OWN}/none/models/alice/x", f"{OWN}/images/models/alice/none"):
        assert (await p.client.put(path)).status_code == 404
    assert (await p.client.patch(f"{OWN}/none", json={"name": "x"})).status_code == 404


@story_with(account="alice")
async def test_list_pages(p: Platform) -> None:
    for number in range(120):
        await p.client.post(OWN, json=NEW | {"slug": f"c{number}"})
    first = (await p.client.get("/collections")).json()
    await p.client.post(OWN, json=NEW | {"slug": "later"})
    second = (await p.client.get(first["next"])).json()
    listed = [c["slug"] for page in (first, second) for c in page["results"]]
    assert listed == [f"c{number}" for number in reversed(range(120))]
    assert second["next"] is None
    assert second["previous"] is not None


@story
async def test_without_collections(p: Platform) -> None:
    assert (await p.client.get("/collections")).json()["results"] == []
    assert (await p.client.get("/collections/none")).status_code == 404
    assert (await p.anonymous.get("/collections")).status_code == 401
