"""What is asked for of instances: shown, changed, listed, refused."""

from typing import Any

from stoker.core.hardware import Hardware
from stoker.core.trainings import trained_version
from tests.contract.platform import Platform
from tests.contract.story import story, story_with

SLOW = Hardware(sku="slow", name="Slow", micro_usd_per_s=100)


@story_with(hardware=(SLOW,))
async def test_a_model_asks_and_is_shown_the_price(p: Platform) -> None:
    await p.model("sketch", hardware="slow")
    path = "/stoker/models/alice/sketch/scale"
    empty = (await p.client.get(path)).json()
    assert (empty["warm"], empty["micro_usd_a_week"], empty["kind"]) == (None, 0, "model")
    body: dict[str, Any] = {
        "idle_s": 300,
        "max_instances": 2,
        "warm": {"schedule": "mon-fri 8-18", "instances": 2},
    }
    told = (await p.client.patch(path, json=body)).json()
    assert (told["idle_s"], told["min_instances"], told["max_instances"]) == (300, None, 2)
    assert (told["warm"]["hours_a_week"], told["instance_hours_a_week"]) == (50, 100)
    assert told["micro_usd_a_week"] == 100 * 3600 * 100
    assert p.dispatcher.warmth.steps == 1, "it holds at once"
    kept = (await p.client.patch(path, json={"min_instances": 1, "idle_s": None})).json()
    assert (kept["idle_s"], kept["max_instances"], kept["warm"]) == (None, 2, told["warm"])
    assert kept["instance_hours_a_week"] == 168 + 50
    assert (await p.client.get(path)).json() == kept
    await p.client.patch(path, json={"min_instances": None, "max_instances": None, "warm": None})
    assert (await p.client.get(path)).json() == empty


@story
async def test_warm_for_a_while_is_over_then(p: Platform) -> None:
    await p.model("sketch")
    path = "/stoker/models/alice/sketch/scale"
    warm = (await p.client.patch(path, json={"warm": {"for_s": 3600}})).json()["warm"]
    assert (warm["is_on"], warm["schedule"], warm["hours_a_week"]) == (True, None, 1)
    p.clock.advance(3601)
    told = (await p.client.get(path)).json()
    assert (told["warm"]["is_on"], told["instance_hours_a_week"]) == (False, 0)
    often = {"for_s": 4 * 3600, "schedule": "daily 0-24", "instances": 2}
    told = (await p.client.patch(path, json={"warm": often})).json()
    assert told["instance_hours_a_week"] == 2 * 4, "no more than there are until then"


@story
async def test_the_list_has_what_is_the_callers(p: Platform) -> None:
    version = await p.version("sketch")
    await p.version("open", owner="bob", visibility="public")
    for path in ("models/alice/sketch", f"models/alice/sketch/versions/{version.id}", "accounts/alice"):
        assert (await p.client.patch(f"/stoker/{path}/scale", json={"idle_s": 5})).status_code == 200
    await p.other.patch("/stoker/models/bob/open/scale", json={"idle_s": 5})
    mine = (await p.client.get("/stoker/scales")).json()["results"]
    assert [(one["kind"], one["name"], one["version"]) for one in mine] == [
        ("account", "alice", None),
        ("model", "alice/sketch", None),
        ("version", "alice/sketch", version.id),
    ]


@story
async def test_what_cannot_be_asked_for(p: Platform) -> None:
    await p.model("sketch")
    for where, body, said in (
        ("models/alice/sketch", {"idle_s": -1}, "idle_s"),
        ("models/alice/sketch", {"max_instances": 21}, "max_instances"),
        ("models/alice/sketch", {"min_instances": 3, "max_instances": 2}, "min_instances"),
        ("models/alice/sketch", {"warm": {"instances": 6}}, "warm.instances"),
        ("models/alice/sketch", {"warm": {"for_s": 0}}, "warm.for_s"),
        ("models/alice/sketch", {"warm": {"schedule": "always"}}, "Write it like"),
        ("models/alice/sketch", {"warm": {"timezone": "Mars/Base"}}, "no time zone"),
        ("models/alice/sketch", {"warm": {"timezone": "../etc/passwd"}}, "no time zone"),
        ("accounts/alice", {"min_instances": 1}, "for models and versions"),
        ("accounts/alice", {"warm": {}}, "for models and versions"),
    ):
        refused = await p.client.patch(f"/stoker/{where}/scale", json=body)
        assert refused.status_code == 422, body
        assert said in refused.text, refused.text
    assert (await p.client.get("/stoker/scales")).json() == {"results": []}


@story
async def test_what_runs_in_anothers_instances_asks_for_some_there_and_no_more(p: Platform) -> None:
    weights = {"type": "string", "format": "uri"}
    base = await p.version("base", input={"type": "object", "properties": {"replicate_weights": weights}})
    await p.model("tuned")
    tuned = trained_version(base, weights="d" * 64, name="w", destination="alice/tuned", now_us=1)
    await p.store.versions.create(tuned)
    for path in ("models/alice/tuned", f"models/alice/tuned/versions/{tuned.id}"):
        scale = f"/stoker/{path}/scale"
        for body in ({"idle_s": 5}, {"max_instances": 2, "min_instances": 1}):
            refused = await p.client.patch(scale, json=body)
            assert refused.status_code == 422
            assert f"in the instances of alice/base:{base.id}" in refused.json()["detail"]
        told = await p.client.patch(scale, json={"min_instances": 1, "max_instances": None})
        assert (told.status_code, told.json()["min_instances"]) == (200, 1)


@story
async def test_a_base_that_the_caller_may_not_see_is_not_named(p: Platform) -> None:
    weights = {"type": "string", "format": "uri"}
    input = {"type": "object", "properties": {"replicate_weights": weights}}
    base = await p.version("closed", owner="bob", input=input)
    await p.model("tuned")
    tuned = trained_version(base, weights="d" * 64, name="w", destination="alice/tuned", now_us=1)
    await p.store.versions.create(tuned)
    refused = await p.client.patch("/stoker/models/alice/tuned/scale", json={"idle_s": 5})
    assert refused.status_code == 422
    assert "in the instances of what it was trained from, which has idle_s" in refused.json()["detail"]


@story
async def test_a_model_that_was_trained_into_itself_says_all_of_its_host(p: Platform) -> None:
    weights = {"type": "string", "format": "uri"}
    base = await p.version("base", input={"type": "object", "properties": {"replicate_weights": weights}})
    tuned = trained_version(base, weights="d" * 64, name="w", destination=base.model, now_us=1)
    await p.store.versions.create(tuned)
    path = f"/stoker/models/{base.model}"
    told = await p.client.patch(f"{path}/scale", json={"idle_s": 5, "max_instances": 2})
    assert (told.status_code, told.json()["idle_s"]) == (200, 5)
    refused = await p.client.patch(f"{path}/versions/{tuned.id}/scale", json={"idle_s": 5})
    assert refused.status_code == 422
