"""Deployments: sections 4.7, 5.5 and 5.7, and the gotchas of Appendix B that concern them."""

import asyncio
from typing import Any

import httpx
import pytest

from stoker.core.catalog import Version
from stoker.core.errors import Conflict
from stoker.core.prediction import Prediction
from stoker.runtime.live import Live
from tests.contract.platform import FILES, Platform
from tests.contract.scripted import never_starts
from tests.contract.story import story
from tests.contract.test_create import KEYS

Json = dict[str, Any]
UNKNOWN_VERSION = "The specified version does not exist (or perhaps you don't have permission to use it?)"


def wanted(version: Version, /, **fields: Any) -> Json:
    asked = {"name": "app", "model": version.model, "version": version.id, "hardware": "cpu"}
    return asked | {"min_instances": 0, "max_instances": 2} | fields


async def deploy(p: Platform, version: Version, /, **fields: Any) -> Json:
    response = await p.client.post("/deployments", json=wanted(version, **fields))
    assert response.status_code == 200, response.text
    return response.json()


async def change(p: Platform, **fields: Any) -> Json:
    response = await p.client.patch("/deployments/alice/app", json=fields)
    assert response.status_code == 200, response.text
    return response.json()["current_release"]


def refused(response: httpx.Response, status: int, detail: str) -> None:
    assert (response.status_code, response.json()["status"]) == (status, status), response.text
    assert detail in response.json()["detail"]
    assert response.headers["content-type"] == "application/problem+json"


def fields_of(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 422, response.text
    return {problem["field"]: problem["type"] for problem in response.json()["invalid_fields"]}


# -- create ----------------------------------------------------------------------------------------


@story
async def test_gotcha_17_create_answers_200_and_the_whole_deployment(p: Platform) -> None:
    version = await p.version("sketch")
    response = await p.client.post("/deployments", json=wanted(version, min_instances=1, max_instances=5))
    made = response.json()
    release = made["current_release"]
    assert response.status_code == 200
    assert (made["owner"], made["name"], made.keys()) == (
        "alice",
        "app",
        {"owner", "name", "current_release"},
    )
    assert (release["number"], release["model"], release["version"]) == (1, "alice/sketch", version.id)
    assert release["created_by"] == (await p.client.get("/account")).json()
    scaling = {"min_instances": 1, "max_instances": 5}
    assert release["configuration"] == {"hardware": "cpu", **scaling, "scaling": scaling}
    assert len(release["created_at"]) == len("2024-02-15T16:32:57.018467Z")
    assert [(d.ref, v) for d, v in p.deployer.deployed] == [("alice/app", version)]


@story
async def test_the_owner_before_the_name_is_dropped(p: Platform) -> None:
    version = await p.version("sketch")
    assert (await deploy(p, version, name="alice/app"))["name"] == "app"
    assert (await deploy(p, version, name="ALICE/two"))["name"] == "two"
    response = await p.client.post("/deployments", json=wanted(version, name="bob/app"))
    assert fields_of(response) == {"name": "pattern"}


@story
async def test_every_field_is_required_and_nothing_else_is_taken(p: Platform) -> None:
    version = await p.version("sketch")
    for name in wanted(version):
        body = {key: value for key, value in wanted(version).items() if key != name}
        response = await p.client.post("/deployments", json=body)
        assert response.status_code == 422
        assert f"{name} is required" in response.json()["detail"]
    response = await p.client.post("/deployments", json=wanted(version, regions=["eu"]))
    assert "Additional property regions is not allowed" in response.json()["detail"]
    response = await p.client.post("/deployments", json=wanted(version, min_instances="1"))
    assert fields_of(response) == {"min_instances": "invalid_type"}
    assert (await p.client.post("/deployments", content=b"{")).status_code == 400


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"min_instances": -1}, {"min_instances": "number_gte"}),
        ({"min_instances": 6, "max_instances": 20}, {"min_instances": "number_lte"}),
        ({"max_instances": -1}, {"max_instances": "number_gte"}),
        ({"max_instances": 21}, {"max_instances": "number_lte"}),
        ({"min_instances": 3, "max_instances": 2}, {"min_instances": "number_lte"}),
        ({"min_instances": 1, "max_instances": 0}, {"min_instances": "number_lte"}),
        ({"hardware": "gpu-from-tomorrow"}, {"hardware": "enum"}),
        ({"name": "no blanks"}, {"name": "pattern"}),
        ({"name": ""}, {"name": "pattern"}),
    ],
)
def test_values_out_of_bounds(tmp_path: Any, fields: Json, problems: dict[str, str]):
    @story
    async def tell(p: Platform) -> None:
        version = await p.version("sketch")
        assert fields_of(await p.client.post("/deployments", json=wanted(version, **fields))) == problems
        assert (await p.client.get("/deployments")).json()["results"] == []

    tell(tmp_path)


@story
async def test_the_bounds_themselves_are_fine(p: Platform) -> None:
    version = await p.version("sketch")
    await deploy(p, version, name="most", min_instances=5, max_instances=20)
    await deploy(p, version, name="none", min_instances=0, max_instances=0)


@story
async def test_what_may_not_be_deployed(p: Platform) -> None:
    version = await p.version("sketch")
    hidden = await p.version("hidden", owner="bob")
    public = await p.version("public", owner="bob", visibility="public")
    for fields in (
        {"version": "0" * 64},
        {"version": "latest"},
        {"version": ""},
        {"model": "alice/nothing"},
        {"model": "sketch"},
        {"model": "alice/sketch", "version": public.id},
        {"model": hidden.model, "version": hidden.id},
    ):
        refused(await p.client.post("/deployments", json=wanted(version, **fields)), 422, UNKNOWN_VERSION)
    assert (await deploy(p, public))["current_release"]["model"] == "bob/public"


@story
async def test_a_name_is_taken_once_an_account(p: Platform) -> None:
    version = await p.version("sketch", visibility="public")
    await deploy(p, version)
    again = await p.client.post("/deployments", json=wanted(version))
    refused(again, 409, "A deployment named alice/app exists already.")
    assert again.headers["x-should-retry"] == "false"
    assert (await p.other.post("/deployments", json=wanted(version))).json()["owner"] == "bob"


# -- read ------------------------------------------------------------------------------------------


@story
async def test_get_under_any_case_of_the_name(p: Platform) -> None:
    made = await deploy(p, await p.version("sketch"))
    for path in ("/deployments/alice/app", "/deployments/Alice/APP", "/deployments/alice/app/"):
        assert (await p.client.get(path)).json() == made


@story
async def test_anothers_deployment_is_like_one_that_does_not_exist(p: Platform) -> None:
    version = await p.version("sketch", visibility="public")
    await deploy(p, version)
    for name in ("app", "nothing"):
        own = f"/deployments/alice/{name}"
        for response in (
            await p.other.get(own),
            await p.other.patch(own, json={"max_instances": 1}),
            await p.other.delete(own),
            await p.other.post(f"{own}/predictions", json={"input": {}}),
        ):
            refused(response, 404, "The requested resource could not be found.")
    assert (await p.other.get("/deployments")).json()["results"] == []


@story
async def test_a_token_is_needed(p: Platform) -> None:
    own = "/deployments/alice/app"
    for response in (
        await p.anonymous.get("/deployments"),
        await p.anonymous.post("/deployments", json={}),
        await p.anonymous.get(own),
        await p.anonymous.patch(own, json={}),
        await p.anonymous.delete(own),
        await p.anonymous.post(f"{own}/predictions", json={"input": {}}),
    ):
        assert response.status_code == 401
    assert (await p.client.put(own, json={})).headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


@story
async def test_the_list_is_ones_own_newest_first_page_by_page(p: Platform) -> None:
    version = await p.version("sketch")
    names = [f"app{number}" for number in range(105)]
    for name in names:
        await deploy(p, version, name=name)
    first = (await p.client.get("/deployments")).json()
    assert [d["name"] for d in first["results"]] == names[:4:-1]
    assert first["previous"] is None
    await deploy(p, version, name="late")
    second = (await p.client.get(first["next"])).json()
    assert [d["name"] for d in second["results"]] == names[4::-1]
    assert second["next"] is None
    assert [d["name"] for d in (await p.client.get(second["previous"])).json()["results"]] == names[:4:-1]


# -- update ----------------------------------------------------------------------------------------


@story
async def test_each_change_makes_the_next_release(p: Platform) -> None:
    first, second = await p.version("sketch"), await p.version("sketch")
    made = (await deploy(p, first))["current_release"]
    release = await change(p, version=second.id)
    assert (release["number"], release["version"], release["model"]) == (2, second.id, "alice/sketch")
    assert release["configuration"] == made["configuration"]
    assert release["created_at"] > made["created_at"]
    release = await change(p, min_instances=2, max_instances=3)
    assert (release["number"], release["version"]) == (3, second.id)
    assert release["configuration"]["scaling"] == {"min_instances": 2, "max_instances": 3}
    assert (await p.client.get("/deployments/alice/app")).json()["current_release"] == release
    told = [(d.release.number, v.id) for d, v in p.deployer.deployed]
    assert told == [(1, first.id), (2, second.id), (3, second.id)]


@story
async def test_what_changes_nothing_makes_no_release(p: Platform) -> None:
    version = await p.version("sketch")
    made = (await deploy(p, version))["current_release"]
    assert await change(p) == made
    assert await change(p, version=version.id, hardware="cpu", min_instances=0, max_instances=2) == made
    assert await change(p, model="alice/sketch", version=None, max_instances=None) == made
    assert len(p.deployer.deployed) == 1


@story
async def test_the_go_client_may_send_the_model_too(p: Platform) -> None:
    await deploy(p, await p.version("sketch"))
    newer, other = await p.version("sketch"), await p.version("other")
    assert (await change(p, model="alice/sketch", version=newer.id))["version"] == newer.id
    release = await change(p, model="alice/other", version=other.id)
    assert (release["number"], release["model"], release["version"]) == (3, "alice/other", other.id)
    response = await p.client.patch("/deployments/alice/app", json={"model": "alice/sketch"})
    refused(response, 422, UNKNOWN_VERSION)


@story
async def test_a_bad_change_changes_nothing(p: Platform) -> None:
    made = (await deploy(p, await p.version("sketch"), min_instances=1))["current_release"]
    own = "/deployments/alice/app"
    for fields, problems in (
        ({"min_instances": 3}, {"min_instances": "number_lte"}),
        ({"max_instances": 0}, {"min_instances": "number_lte"}),
        ({"max_instances": 21}, {"max_instances": "number_lte"}),
        ({"hardware": "none"}, {"hardware": "enum"}),
        ({"name": "new"}, {"": "additional_property_not_allowed"}),
    ):
        assert fields_of(await p.client.patch(own, json=fields)) == problems
    refused(await p.client.patch(own, json={"version": "0" * 64}), 422, UNKNOWN_VERSION)
    refused(await p.client.patch("/deployments/alice/none", json={}), 404, "could not be found")
    assert (await p.client.get(own)).json()["current_release"] == made


@story
async def test_changes_at_the_same_moment_all_count(p: Platform) -> None:
    await deploy(p, await p.version("sketch"))
    found = await asyncio.gather(*(change(p, max_instances=number) for number in range(3, 7)))
    assert sorted(release["number"] for release in found) == [2, 3, 4, 5]


# -- delete ----------------------------------------------------------------------------------------


@story
async def test_one_that_was_never_used_is_deleted_at_once(p: Platform) -> None:
    await deploy(p, await p.version("sketch"))
    response = await p.client.delete("/deployments/alice/app")
    assert (response.status_code, response.content) == (204, b"")
    assert [d.ref for d in p.deployer.withdrawn] == ["alice/app"]
    refused(await p.client.delete("/deployments/alice/app"), 404, "could not be found")
    assert (await deploy(p, await p.version("sketch")))["current_release"]["number"] == 1


@story
async def test_one_in_use_stays_until_it_was_unused_for_15_minutes(p: Platform) -> None:
    await deploy(p, await p.version("sketch"))
    own = "/deployments/alice/app"
    await p.client.post(f"{own}/predictions", json={"input": {}}, headers={"prefer": "wait"})
    for _ in range(2):
        response = await p.client.delete(own)
        refused(response, 409, "was in use within the last 15 minutes. Wait until")
        assert response.headers["x-should-retry"] == "false"
        p.clock.advance(7 * 60)
    p.clock.advance(70)
    assert (await p.client.delete(own)).status_code == 204


@story
async def test_one_with_a_prediction_that_still_waits_stays(p: Platform) -> None:
    p.dispatcher.script = never_starts
    await deploy(p, await p.version("sketch"))
    await p.client.post("/deployments/alice/app/predictions", json={"input": {}})
    p.clock.advance(3600)
    refused(await p.client.delete("/deployments/alice/app"), 409, "online")


@story
async def test_one_that_keeps_instances_up_stays(p: Platform) -> None:
    await deploy(p, await p.version("sketch"))
    await change(p, min_instances=1)
    refused(await p.client.delete("/deployments/alice/app"), 409, "set min_instances to 0 first")
    await change(p, min_instances=0)
    assert (await p.client.delete("/deployments/alice/app")).status_code == 204


@story
async def test_a_disabled_one_is_deleted_at_once(p: Platform) -> None:
    await deploy(p, await p.version("sketch"))
    own = "/deployments/alice/app"
    await p.client.post(f"{own}/predictions", json={"input": {}}, headers={"prefer": "wait"})
    await change(p, min_instances=0, max_instances=0)
    assert (await p.client.delete(own)).status_code == 204


@story
async def test_a_version_that_a_deployment_runs_stays(p: Platform) -> None:
    first, second = await p.version("sketch"), await p.version("sketch")
    await deploy(p, first)
    own = f"/models/alice/sketch/versions/{first.id}"
    refused(await p.client.delete(own), 409, "A deployment runs this version")
    await change(p, version=second.id)
    assert (await p.client.delete(own)).status_code == 202


# -- predictions -----------------------------------------------------------------------------------


@story
async def test_a_prediction_is_of_the_current_release(p: Platform) -> None:
    first, second = await p.version("sketch"), await p.version("sketch")
    await deploy(p, first)
    await change(p, version=second.id)
    path = "/deployments/alice/app/predictions"
    response = await p.client.post(path, json={"input": {"prompt": "kite"}}, headers={"prefer": "wait=5"})
    made = response.json()
    assert response.status_code == 201
    assert response.headers["preference-applied"] == "wait=5"
    assert response.headers["location"] == made["urls"]["get"]
    assert made.keys() == KEYS | {"deployment"}
    assert (made["deployment"], made["model"], made["version"]) == ("alice/app", "alice/sketch", second.id)
    assert (made["status"], made["output"]) == ("succeeded", {"prompt": "kite"})
    found = (await p.client.get(f"/predictions/{made['id']}")).json()
    assert found["deployment"] == "alice/app"
    assert (await p.client.get("/predictions")).json()["results"][0]["deployment"] == "alice/app"
    plain = await p.predict(second)
    assert "deployment" not in plain


@story
async def test_the_answer_is_the_same_as_elsewhere(p: Platform) -> None:
    p.dispatcher.script = never_starts
    await deploy(p, await p.version("draw", output=FILES))
    path = "/deployments/alice/app/predictions"
    body = {"input": {}, "webhook": "https://example.com/hook", "webhook_events_filter": ["completed"]}
    response = await p.client.post(path, json=body | {"stream": True}, headers={"cancel-after": "90s"})
    made = response.json()
    assert (response.status_code, made["status"], made["logs"]) == (201, "starting", "")
    assert (made["webhook"], made["webhook_events_filter"]) == ("https://example.com/hook", ["completed"])
    assert "stream" in made["urls"]
    assert made["deadline"] > made["created_at"]
    expired = await p.client.post(path, json={"input": {}}, headers={"prefer": "wait=1"})
    assert (expired.status_code, expired.json()["status"]) == (201, "starting")
    stopped = (await p.client.post(f"/predictions/{made['id']}/cancel")).json()
    assert (stopped["status"], stopped["deployment"]) == ("canceled", "alice/app")


@story
async def test_bodies_and_inputs_are_checked(p: Platform) -> None:
    schema = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
    version = await p.version("sketch", input=schema)
    await deploy(p, version)
    path = "/deployments/alice/app/predictions"
    assert fields_of(await p.client.post(path, json={"input": {"size": "x"}})) == {
        "input.size": "invalid_type"
    }
    assert fields_of(await p.client.post(path, json={"input": {}})) == {"input": "required"}
    response = await p.client.post(path, json={"input": {"size": 1}, "version": version.id})
    assert "Additional property version is not allowed" in response.json()["detail"]
    refused(await p.client.post("/deployments/alice/no/predictions", json={"input": {}}), 404, "could not be")
    assert p.dispatcher.submitted == []


@story
async def test_a_disabled_one_takes_no_predictions(p: Platform) -> None:
    await deploy(p, await p.version("sketch"), max_instances=0)
    path = "/deployments/alice/app/predictions"
    response = await p.client.post(path, json={"input": {}})
    refused(response, 409, "The deployment alice/app is disabled")
    assert response.headers["x-should-retry"] == "false"
    assert p.dispatcher.submitted == []
    await change(p, max_instances=1)
    assert (await p.client.post(path, json={"input": {}})).status_code == 201


@story
async def test_dispatch_has_the_last_word_on_what_is_disabled(p: Platform) -> None:
    """It may have been disabled while the input's files were stored."""

    def refuse(prediction: Prediction, version: Version, **_: Any) -> Live:
        raise Conflict("The deployment is disabled.")

    await deploy(p, await p.version("sketch"))
    p.dispatcher.submit = refuse  # type: ignore[method-assign]
    refused(await p.client.post("/deployments/alice/app/predictions", json={"input": {}}), 409, "disabled")


@story
async def test_a_repeated_create_of_the_python_2_client_gets_the_same_prediction(p: Platform) -> None:
    await deploy(p, await p.version("sketch"))
    ids = [
        (
            await p.client.post(
                "/deployments/alice/app/predictions",
                json={"input": {}},
                headers={"x-stainless-retry-count": count},
            )
        ).json()["id"]
        for count in ("0", "1")
    ]
    assert ids[0] == ids[1]


@story
async def test_gotcha_20_every_spelling_of_the_path(p: Platform) -> None:
    await deploy(p, await p.version("sketch"))
    for prefix in ("", "/v1", "/v1/v1"):
        assert (await p.client.get(f"{p.base}{prefix}/deployments/alice/app")).status_code == 200
        response = await p.client.post(
            f"{p.base}{prefix}/deployments/alice/app/predictions", json={"input": {}}
        )
        assert response.status_code == 201
