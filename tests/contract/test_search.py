"""Search and the order of the model list: sections 4.11, 5.4, 5.11 and 14."""

import asyncio
from typing import Any

import pytest

from tests.contract.platform import Platform
from tests.contract.story import story, story_with


async def queried(p: Platform, text: str) -> list[str]:
    page: dict[str, Any] = (await p.client.request("QUERY", "/models", content=text)).json()
    assert (page["next"], page["previous"]) == (None, None)
    return [model["name"] for model in page["results"]]


@story_with(account="alice")
async def test_search_finds_models_and_collections(p: Platform) -> None:
    await p.version("upscaler", visibility="public")
    await p.model("sharpen", description="An upscaler for faces")
    await p.model("other")
    new = {"slug": "super-resolution", "name": "Super resolution", "description": "Upscalers"}
    await p.client.post("/stoker/collections", json=new)
    for name in ("other", "upscaler"):
        await p.client.put(f"/stoker/collections/super-resolution/models/alice/{name}")
    answer = await p.client.get("/search", params={"query": "upscale"})
    assert answer.status_code == 200
    found = answer.json()
    assert found.keys() == {"query", "models", "collections", "pages"}
    assert found["query"] == "upscale"
    assert [hit["model"]["name"] for hit in found["models"]] == ["upscaler", "sharpen"]
    assert found["models"][0]["model"] == (await p.client.get("/models/alice/upscaler")).json()
    best, next_best = (hit["metadata"] for hit in found["models"])
    assert best == {"score": 1.0, "tags": ["super-resolution"]}
    assert next_best.keys() == {"score"} and 0 < next_best["score"] < 1
    assert found["collections"] == [new | {"models": ["alice/other", "alice/upscaler"]}]
    assert found["pages"] == []
    found = (await p.other.get("/search", params={"query": "upscale"})).json()
    assert [hit["model"]["name"] for hit in found["models"]] == ["upscaler"]
    assert found["collections"][0]["models"] == ["alice/upscaler"]


@story
async def test_search_limits(p: Platform) -> None:
    for number in range(52):
        await p.model(f"kite-{number}")
    for given, found in (({}, 20), ({"limit": "1"}, 1), ({"limit": "50"}, 50)):
        answer = (await p.client.get("/search", params={"query": "kite", **given})).json()
        assert len(answer["models"]) == found
    for bad in ({"limit": "0"}, {"limit": "51"}, {"limit": "x"}, {"limit": "-1"}, {"limit": "9" * 30}):
        assert (await p.client.get("/search", params={"query": "kite", **bad})).status_code == 422
    missing = await p.client.get("/search")
    assert missing.status_code == 422
    assert missing.json()["invalid_fields"][0]["field"] == "query"
    assert len(await queried(p, "kite")) == 25


@story
async def test_query_ranks_names_before_descriptions_before_readmes(p: Platform) -> None:
    await p.model("a", readme="About a lantern")
    await p.model("b", description="Like a lantern")
    await p.model("lantern")
    assert await queried(p, "Lantern") == ["lantern", "b", "a"]
    assert await queried(p, '"lantern about"') == ["a"]
    assert await queried(p, "lantern nowhere") == []
    assert (await queried(p, "alice/lantern"))[0] == "lantern"
    assert await queried(p, "lan*") == await queried(p, "lan")
    assert await queried(p, "!!!") == []
    assert await queried(p, 'x" OR "lantern') == []
    assert await queried(p, "") == ["lantern", "b", "a"]


@story
async def test_a_changed_readme_is_found(p: Platform) -> None:
    await p.model("a")
    assert await queried(p, "zeppelin") == []
    await p.client.patch("/models/alice/a", json={"readme": "# Zeppelins"})
    assert await queried(p, "zeppelin") == ["a"]


async def walked(p: Platform, query: dict[str, str], *, between: bool) -> list[str]:
    """The names on all pages, following ``next`` alone, while models are added."""
    page = (await p.client.get("/models", params=query)).json()
    names = [model["name"] for model in page["results"]]
    while page["next"]:
        if between:
            await p.version(f"later{len(names)}")
        # Swift sends the cursor alone: it must carry the order (section 14).
        page = (await p.client.get("/models", params={"cursor": page["next"].partition("cursor=")[2]})).json()
        names += [model["name"] for model in page["results"]]
    return names


@story
async def test_models_are_listed_in_the_order_asked_for(p: Platform) -> None:
    await asyncio.gather(*(p.model(f"m{number:02}") for number in range(60)))
    for number in (7, 5, 6):
        await p.version(f"m{number:02}")
    listed = (await p.client.get("/models")).json()["results"]
    assert [model["name"] for model in listed[:3]] == ["m06", "m05", "m07"]
    newest = await walked(p, {"sort_by": "model_created_at"}, between=False)
    assert len(newest) == len(set(newest)) == 60
    oldest = await walked(p, {"sort_by": "model_created_at", "sort_direction": "asc"}, between=True)
    assert [name for name in oldest if name.startswith("m")] == newest[::-1]
    recent = await walked(p, {"sort_by": "latest_version_created_at"}, between=True)
    assert recent[-60:-57] != newest[:3]
    assert [name for name in recent if name.startswith("m")][:3] == ["m06", "m05", "m07"]
    assert len(recent) == len(set(recent))


@story
async def test_pages_lead_back(p: Platform) -> None:
    for number in range(30):
        await p.model(f"m{number:02}")
    for direction in ("asc", "desc"):
        query = {"sort_by": "model_created_at", "sort_direction": direction}
        first = (await p.client.get("/models", params=query)).json()
        second = (await p.client.get(first["next"])).json()
        assert len(second["results"]) == 5
        again = (await p.client.get(second["previous"])).json()
        assert again["results"] == first["results"]
        assert (again["previous"], again["next"]) == (None, first["next"])


@pytest.mark.parametrize(
    "query", ["sort_by=name", "sort_direction=up", "sort_by=model_created_at&sort_direction=x"]
)
def test_orders_that_do_not_exist(query: str, tmp_path: Any) -> None:
    @story
    async def tell(p: Platform) -> None:
        refused = await p.client.get(f"/models?{query}")
        assert (refused.status_code, refused.json()["title"]) == (422, "Input validation failed")

    tell(tmp_path)
