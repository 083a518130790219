"""Trainings: sections 4.8 and 5.9, and what they share with predictions."""

from typing import Any

import msgspec

from stoker.core.catalog import Version
from tests.contract.platform import FILES, Platform
from tests.contract.scripted import Run, never_ends, never_starts
from tests.contract.story import story

TRAINING_INPUT: dict[str, Any] = {
    "type": "object",
    "title": "TrainingInput",
    "properties": {"steps": {"type": "integer", "minimum": 1}},
    "required": ["steps"],
}
GOOD = {"destination": "alice/tuned", "input": {"steps": 3}}
NO_DESTINATION = {"detail": "The specified training destination does not exist", "status": 404}


async def trainable(p: Platform, name: str = "trainer", **fields: Any) -> Version:
    """A version that can be trained; alice/tuned is there to take what comes of it."""
    plain = await p.version(name, schemas={"TrainingInput": TRAINING_INPUT}, **fields)
    recipe = msgspec.structs.replace(plain.recipe, train="train.py:train")
    version = msgspec.structs.replace(plain, id=plain.id[::-1], recipe=recipe)
    await p.store.versions.create(version)
    if await p.store.models.get("alice", "tuned") is None:
        await p.model("tuned")
    return version


def path(version: Version) -> str:
    return f"/models/{version.model}/versions/{version.id}/trainings"


@story
async def test_a_created_training_is_complete(p: Platform) -> None:
    p.dispatcher.script = never_starts
    version = await trainable(p, output=FILES)
    answer = await p.client.post(path(version), json=GOOD)
    made = answer.json()
    assert answer.status_code == 201
    own = f"{p.base}/v1/trainings/{made['id']}"
    assert made["urls"] == {"get": own, "cancel": f"{own}/cancel", "web": f"{p.base}/p/{made['id']}"}
    assert answer.headers["location"] == own
    assert (made["model"], made["version"]) == (version.model, version.id)
    assert (made["input"], made["output"], made["status"]) == ({"steps": 3}, None, "starting")
    kept = await p.store.predictions.get(made["id"])
    assert kept is not None
    assert (kept.kind, kept.destination) == ("training", "alice/tuned")


@story
async def test_get_answers_under_both_names(p: Platform) -> None:
    p.dispatcher.script = never_ends
    version = await trainable(p)
    id = (await p.client.post(path(version), json=GOOD)).json()["id"]
    await p.dispatcher.run(id).begun.wait()
    training = (await p.client.get(f"/trainings/{id}")).json()
    assert training["status"] == "processing"
    assert (await p.client.get(f"/predictions/{id}")).json() == training
    assert training["urls"]["get"].endswith(f"/v1/trainings/{id}")


@story
async def test_a_prediction_is_no_training(p: Platform) -> None:
    prediction = await p.predict(await p.version("plain"))
    assert (await p.client.get(f"/trainings/{prediction['id']}")).status_code == 404
    assert (await p.client.post(f"/trainings/{prediction['id']}/cancel")).status_code == 404
    assert (await p.client.get("/trainings")).json()["results"] == []


@story
async def test_cancel_answers_canceled_and_then_stays_as_it_is(p: Platform) -> None:
    p.dispatcher.script = never_ends
    version = await trainable(p)
    id = (await p.client.post(path(version), json=GOOD)).json()["id"]
    await p.dispatcher.run(id).begun.wait()
    canceled = await p.client.post(f"/trainings/{id}/cancel")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    assert canceled.json()["completed_at"] is not None
    assert (await p.client.post(f"/trainings/{id}/cancel")).json() == canceled.json()


@story
async def test_the_list_has_trainings_only_newest_first_in_pages_of_a_hundred(p: Platform) -> None:
    version = await trainable(p)
    await p.predict(version)
    p.dispatcher.script = never_starts
    made = [(await p.client.post(path(version), json=GOOD)).json()["id"] for _ in range(101)]
    first = (await p.client.get("/trainings")).json()
    assert [training["id"] for training in first["results"]] == made[:0:-1]
    assert first["next"].startswith(f"{p.base}/v1/trainings?cursor=")
    rest = (await p.client.get(first["next"])).json()
    assert [training["id"] for training in rest["results"]] == made[:1]
    assert rest["next"] is None
    assert len((await p.client.get("/predictions")).json()["results"]) == 1


@story
async def test_a_destination_must_be_a_model_of_ones_own(p: Platform) -> None:
    version = await trainable(p, visibility="public")
    await p.model("theirs", owner="bob", visibility="public")
    for destination in ("alice/nothing", "bob/theirs", "nonsense", ""):
        answer = await p.client.post(path(version), json=GOOD | {"destination": destination})
        assert (answer.status_code, answer.json()) == (404, NO_DESTINATION)
        assert answer.headers["content-type"] == "application/problem+json"
    assert not p.dispatcher.submitted


@story
async def test_anothers_public_trainer_may_be_used_and_a_private_one_is_not_there(p: Platform) -> None:
    public = await trainable(p, "open", owner="bob", visibility="public")
    private = await trainable(p, "closed", owner="bob")
    assert (await p.client.post(path(public), json=GOOD)).status_code == 201
    assert (await p.client.post(path(private), json=GOOD)).status_code == 404
    id = p.dispatcher.submitted[0].id
    assert (await p.other.get(f"/trainings/{id}")).status_code == 404
    assert (await p.other.post(f"/trainings/{id}/cancel")).status_code == 404
    assert (await p.anonymous.get(f"/trainings/{id}")).status_code == 401


@story
async def test_the_destination_is_found_in_any_case_and_kept_as_it_is_named(p: Platform) -> None:
    version = await trainable(p)
    await p.client.post(path(version), json=GOOD | {"destination": "Alice/TUNED"})
    assert p.dispatcher.submitted[0].destination == "alice/tuned"


@story
async def test_the_input_must_fit_the_training_schema(p: Platform) -> None:
    version = await trainable(p)
    for input, field in (({}, "input"), ({"steps": "many"}, "input.steps"), ({"steps": 0}, "input.steps")):
        answer = await p.client.post(path(version), json=GOOD | {"input": input})
        assert answer.status_code == 422
        assert answer.json()["invalid_fields"][0]["field"] == field


@story
async def test_body_rules(p: Platform) -> None:
    version = await trainable(p)
    for body in ({"input": {}}, {"destination": "alice/tuned"}, GOOD | {"unknown": 1}, GOOD | {"input": []}):
        assert (await p.client.post(path(version), json=body)).status_code == 422
    repeated = await p.client.post(path(version), json=GOOD | {"version": version.id})
    assert repeated.status_code == 201, "the Go client repeats the version"


@story
async def test_webhook_and_filter_are_kept_and_checked(p: Platform) -> None:
    version = await trainable(p)
    hook = {"webhook": "https://example.com/hook?me=1", "webhook_events_filter": ["start", "completed"]}
    made = (await p.client.post(path(version), json=GOOD | hook)).json()
    assert {name: made[name] for name in hook} == hook
    for bad in ({"webhook": "nowhere"}, hook | {"webhook_events_filter": ["never"]}):
        assert (await p.client.post(path(version), json=GOOD | bad)).status_code == 422


@story
async def test_a_version_without_a_training_entry_point_is_422(p: Platform) -> None:
    version = await p.version("plain")
    answer = await p.client.post(path(version), json=GOOD)
    assert (answer.status_code, answer.json()["status"]) == (422, 422)
    assert "cannot be trained" in answer.json()["detail"]


@story
async def test_a_version_that_can_only_be_trained_is_shown_and_does_not_run(p: Platform) -> None:
    version = await trainable(p)
    components = {"schemas": {"TrainingInput": TRAINING_INPUT}}
    schema = version.openapi_schema | {"components": components}
    only = msgspec.structs.replace(version, id="7" * 64, openapi_schema=schema)
    await p.store.versions.create(only)
    assert (await p.client.get(f"/models/{only.model}/versions/{only.id}")).status_code == 200
    answer = await p.client.post("/predictions", json={"version": only.id, "input": {}})
    assert answer.status_code == 422
    assert "can only be trained" in answer.json()["detail"]
    assert (await p.client.post(path(only), json=GOOD)).status_code == 201


@story
async def test_an_unknown_version_is_404(p: Platform) -> None:
    await trainable(p)
    answer = await p.client.post(f"/models/alice/trainer/versions/{'0' * 64}/trainings", json=GOOD)
    assert answer.status_code == 404
    assert answer.json() != NO_DESTINATION


@story
async def test_a_repeated_create_makes_one_training(p: Platform) -> None:
    """Gotcha 2: the Python 2 client repeats what it got no answer to."""
    p.dispatcher.script = never_ends
    version = await trainable(p)
    made = []
    for count in ("0", "1"):
        headers = {"x-stainless-retry-count": count}
        made.append((await p.client.post(path(version), json=GOOD, headers=headers)).json()["id"])
    assert made[0] == made[1]


@story
async def test_a_version_that_others_were_trained_from_is_kept(p: Platform) -> None:
    base = await trainable(p)
    recipe = msgspec.structs.replace(base.recipe, weights="d" * 64, trained_from=f"{base.model}:{base.id}")
    tuned = msgspec.structs.replace(base, id="8" * 64, model="alice/tuned", recipe=recipe)
    await p.store.versions.create(tuned)
    own = f"/models/{base.model}/versions/{base.id}"
    refused = await p.client.delete(own)
    assert refused.status_code == 409
    assert "trained from" in refused.json()["detail"]
    assert (await p.client.delete(f"/models/alice/tuned/versions/{tuned.id}")).status_code == 202
    assert (await p.client.delete(own)).status_code == 202


@story
async def test_a_finished_training_names_the_new_version(p: Platform) -> None:
    output = {"version": f"alice/tuned:{'9' * 64}", "weights": "https://example.com/weights.tar"}

    async def trains(run: Run) -> None:
        await run.start()
        run.log("step 1\n")
        run.emit(output, item=False)
        await run.end()

    p.dispatcher.script = trains
    version = await trainable(p)
    headers = {"prefer": "wait"}
    done = (await p.client.post(path(version), json=GOOD, headers=headers)).json()
    assert (done["status"], done["output"], done["logs"]) == ("succeeded", output, "step 1\n")
    assert done["metrics"].keys() == {"predict_time", "total_time"}
    model = (await p.client.get(f"/models/{version.model}")).json()
    assert model["run_count"] == 0, "trainings are not runs"
