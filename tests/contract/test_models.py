"""Models and versions: section 5.4, gotchas 13 to 19."""

from typing import Any

from tests.contract.platform import Platform
from tests.contract.story import story, story_with

NEW = {"owner": "alice", "name": "sketch", "visibility": "private", "hardware": "cpu"}


@story
async def test_create_get_update_delete(p: Platform) -> None:
    response = await p.client.post(
        "/models", json=NEW | {"description": "Draws", "github_url": "https://x.example/"}
    )
    made = response.json()
    assert response.status_code == 201
    assert made | {"created_at": ""} == {
        "url": f"{p.base}/alice/sketch",
        "owner": "alice",
        "name": "sketch",
        "description": "Draws",
        "visibility": "private",
        "is_official": False,
        "github_url": "https://x.example/",
        "paper_url": None,
        "license_url": None,
        "weights_url": None,
        "created_at": "",
        "run_count": 0,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": None,
    }
    assert (await p.client.get("/models/Alice/SKETCH")).json() == made
    change = {"description": None, "readme": "# Sketch", "paper_url": "https://p.example/"}
    changed = (await p.client.patch("/models/alice/sketch", json=change)).json()
    assert changed == made | {"description": None, "paper_url": "https://p.example/"}
    readme = await p.client.get("/models/alice/sketch/readme")
    assert (readme.text, readme.headers["content-type"]) == ("# Sketch", "text/plain; charset=utf-8")
    response = await p.client.delete("/models/alice/sketch")
    assert (response.status_code, response.content) == (204, b"")  # gotcha 17
    assert (await p.client.get("/models/alice/sketch")).status_code == 404


@story_with(account="alice")
async def test_the_operator_may_use_any_owners_name_that_is_nobodys(p: Platform) -> None:
    """So that a model can have its published name."""
    made = await p.client.post("/models", json=NEW | {"owner": "meta"})
    assert (made.status_code, made.json()["owner"]) == (201, "meta")
    assert (await p.client.get("/models/meta/sketch")).status_code == 200
    assert (await p.client.patch("/models/meta/sketch", json={"description": "x"})).status_code == 200
    assert (await p.other.get("/models/meta/sketch")).status_code == 404
    assert (await p.other.post("/models", json=NEW | {"owner": "openai"})).status_code == 403
    assert (await p.client.post("/models", json=NEW | {"owner": "bob"})).status_code == 403


@story
async def test_models_that_cannot_be_made(p: Platform) -> None:
    await p.model("taken")
    for change, status in (
        ({"owner": "bob"}, 403),
        ({"name": "taken"}, 409),
        ({"name": "Taken"}, 422),
        ({"name": ".."}, 422),
        ({"name": "a/b"}, 422),
        ({"hardware": "gpu-of-tomorrow"}, 422),
        ({"visibility": "hidden"}, 422),
        ({"github_url": "javascript:alert(1)"}, 422),
        ({"surprise": 1}, 422),
        ({"name": None}, 422),
    ):
        response = await p.client.post("/models", json=NEW | change)
        assert response.status_code == status, (change, response.text)
        assert response.json()["status"] == status
    assert (await p.client.post("/models", json=NEW | {"name": "taken"})).headers["x-should-retry"] == "false"
    hidden = (await p.client.post("/models", json=NEW | {"visibility": "hidden"})).json()
    assert hidden["invalid_fields"] == [
        {
            "type": "enum",
            "field": "visibility",
            "description": 'visibility must be one of the following: "public", "private"',
        }
    ]
    missing = (await p.client.post("/models", json={"owner": "alice"})).json()
    assert [field["description"] for field in missing["invalid_fields"]] == [
        "name is required",
        "visibility is required",
        "hardware is required",
    ]


@story
async def test_models_of_others(p: Platform) -> None:
    await p.version("open", owner="bob", visibility="public")
    await p.version("closed", owner="bob")
    assert (await p.client.get("/models/bob/open")).status_code == 200
    for path in ("/models/bob/closed", "/models/bob/closed/versions", "/models/bob/closed/readme"):
        assert (await p.client.get(path)).status_code == 404
    assert (await p.client.patch("/models/bob/open", json={"description": "mine"})).status_code == 403
    assert (await p.client.delete("/models/bob/open")).status_code == 403
    assert (await p.client.patch("/models/bob/closed", json={"description": "mine"})).status_code == 404
    listed = (await p.client.get("/models")).json()["results"]
    assert [model["name"] for model in listed] == ["open"]


@story
async def test_gotcha_14_versions_are_listed_and_read(p: Platform) -> None:
    older, newer = await p.version("sketch"), await p.version("sketch")
    listed = (await p.client.get("/models/alice/sketch/versions")).json()
    assert [version["id"] for version in listed["results"]] == [newer.id, older.id]
    one = (await p.client.get(f"/models/alice/sketch/versions/{older.id}")).json()
    assert one.keys() == {"id", "created_at", "cog_version", "openapi_schema"}
    assert one == listed["results"][1]
    assert "Output" in one["openapi_schema"]["components"]["schemas"]
    model = (await p.client.get("/models/alice/sketch")).json()
    assert model["latest_version"] == listed["results"][0]
    assert (await p.client.get(f"/models/alice/sketch/versions/{'0' * 64}")).status_code == 404


@story
async def test_gotchas_17_and_18_version_delete_answers_202(p: Platform) -> None:
    version = await p.version("sketch")
    path = f"/models/alice/sketch/versions/{version.id}"
    await p.predict(version, prefer="wait")
    assert (await p.client.delete("/models/alice/sketch")).status_code == 409
    assert (await p.other.delete(path)).status_code == 404
    response = await p.client.delete(path, headers={"content-type": "application/json"})
    assert (response.status_code, response.content) == (202, b"")
    assert (await p.client.get(path)).status_code == 404
    refused = await p.client.post("/predictions", json={"version": version.id, "input": {}})
    assert refused.status_code == 422
    assert (await p.client.delete("/models/alice/sketch")).status_code == 204


@story_with(models_per_account=2)
async def test_an_account_has_so_many_models_and_no_more(p: Platform) -> None:
    wanted = {"owner": "alice", "visibility": "private", "hardware": "cpu"}
    answers = [await p.client.post("/models", json=wanted | {"name": f"m{n}"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 403]
    assert answers[2].json()["detail"] == "alice has 2 models, which is the most that an account may have."
    assert (await p.client.delete("/models/alice/m0")).status_code == 204
    assert (await p.client.post("/models", json=wanted | {"name": "m2"})).status_code == 201


@story
async def test_public_models_are_not_deleted(p: Platform) -> None:
    version = await p.version("sketch", visibility="public")
    for path in ("/models/alice/sketch", f"/models/alice/sketch/versions/{version.id}"):
        assert (await p.client.delete(path)).status_code == 409


@story
async def test_list_pages(p: Platform) -> None:
    names = [(await p.model(f"m{n}")).name for n in range(60)][::-1]
    first = (await p.client.get("/models", params={"sort_by": "model_created_at"})).json()
    second = (await p.client.get(first["next"])).json()
    third = (await p.client.get(second["next"])).json()
    assert [len(page["results"]) for page in (first, second, third)] == [25, 25, 10]
    listed = [model["name"] for page in (first, second, third) for model in page["results"]]
    assert listed == names
    assert third["next"] is None


@story
async def test_gotcha_19_search_with_the_query_verb(p: Platform) -> None:
    await p.version("sketch", visibility="public")
    await p.model("painter", description="Paints a Sketch in oil")
    await p.model("other")
    for content, kind in (
        ("Sketch", "text/plain"),
        ('"Sketch"', "text/plain"),
        ('"Sketch"', "application/json"),
    ):
        response = await p.client.request("QUERY", "/models", content=content, headers={"content-type": kind})
        page: dict[str, Any] = response.json()
        assert response.status_code == 200
        assert {model["name"] for model in page["results"]} == {"sketch", "painter"}
        assert page["next"] is None
    response = await p.client.request("QUERY", "/models", content="sketch oil")
    assert [model["name"] for model in response.json()["results"]] == ["painter"]
    response = await p.other.request("QUERY", "/models", content="painter")
    assert response.json()["results"] == []


@story
async def test_gotcha_16_hardware_is_a_bare_array(p: Platform) -> None:
    assert (await p.client.get("/hardware")).json() == [{"sku": "cpu", "name": "CPU"}]
