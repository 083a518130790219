"""What may be brought from another API: it is shown as it was there, and never runs, counts or is sent."""

import math
from typing import Any

import httpx

from stoker.core.catalog import Version
from tests.contract.platform import TOKENS, Platform
from tests.contract.story import story, story_with

PUBLISHED, OLDER = "f" * 64, "e" * 64
RUN = "m5mdqk9ktsrme0cj3v6rabpg8w"
SOURCE = "https://api.example.com"
SCHEMA = {
    "openapi": "3.0.2",
    "info": {},
    "paths": {},
    "components": {"schemas": {"Input": {"type": "object"}, "Output": TOKENS}},
}


def described(**fields: Any) -> dict[str, Any]:
    defaults = {
        "created_at": "2024-04-26T19:29:04.418669Z",
        "cog_version": "0.9.5",
        "openapi_schema": SCHEMA,
        "imported_from": SOURCE,
    }
    return defaults | fields


def past(**fields: Any) -> dict[str, Any]:
    """A prediction as an API gives it, but for what belongs to that API."""
    defaults = {
        "model": "alice/kite",
        "version": PUBLISHED,
        "status": "succeeded",
        "created_at": "2024-05-01T10:00:00Z",
        "started_at": "2024-05-01T10:00:01.5Z",
        "completed_at": "2024-05-01T10:00:02.123456789Z",
        "input": {"prompt": "a kite"},
        "output": ["a", "b"],
        "logs": "one\n",
        "error": None,
        "metrics": {"predict_time": 0.6},
        "source": "web",
        "webhook": "https://example.com/hook?a=b",
        "webhook_events_filter": ["completed"],
    }
    return defaults | fields


async def put_version(p: Platform, id: str = PUBLISHED, *, model: str = "alice/kite", **fields: Any) -> int:
    answer = await p.client.put(f"/stoker/models/{model}/versions/{id}", json=described(**fields))
    return answer.status_code


async def upload(p: Platform) -> dict[str, Any]:
    return (await p.client.post("/files", files={"content": ("kite.txt", b"a kite")})).json()


async def refused_run(p: Platform, named: str) -> None:
    refused = await p.client.post("/predictions", json={"version": named, "input": {}})
    assert refused.status_code == 422
    assert "imported from https://api.example.com without its code" in refused.json()["detail"]


@story
async def test_a_version_without_its_code_is_shown_and_says_why_it_does_not_run(p: Platform) -> None:
    await p.model("kite")
    assert await put_version(p) == 201
    assert await put_version(p, cog_version="0.9.6") == 200
    shown = (await p.client.get(f"/models/alice/kite/versions/{PUBLISHED}")).json()
    assert shown == {"id": PUBLISHED, **described()}
    assert (await p.client.get("/models/alice/kite")).json()["latest_version"] == shown
    for named in (PUBLISHED, f"alice/kite:{PUBLISHED}", "alice/kite"):
        await refused_run(p, named)
    assert (await p.client.post("/models/alice/kite/predictions", json={"input": {}})).status_code == 422
    chat = {"model": "alice/kite", "messages": [{"role": "user", "content": "x"}]}
    async with httpx.AsyncClient(base_url=f"{p.base}/openai/v1", headers=p.client.headers) as openai:
        answer = await openai.post("/chat/completions", json=chat)
        assert (answer.status_code, "without its code" in answer.text) == (400, True), answer.text
        assert (await openai.get("/models")).json()["data"] == []
    training = {"destination": "alice/kite", "input": {}}
    path = f"/models/alice/kite/versions/{PUBLISHED}/trainings"
    assert (await p.client.post(path, json=training)).status_code == 422
    pinned = {"name": "app", "model": "alice/kite", "version": PUBLISHED, "hardware": "cpu"}
    deployment = await p.client.post("/deployments", json=pinned | {"min_instances": 1, "max_instances": 1})
    assert (deployment.status_code, "without its code" in deployment.text) == (422, True)
    assert (await p.client.delete(f"/models/alice/kite/versions/{PUBLISHED}")).status_code == 202
    assert (await p.client.get("/models/alice/kite")).json()["latest_version"] is None


@story
async def test_a_version_with_code_comes_before_imported_ones(p: Platform) -> None:
    pushed = await p.version("kite")
    assert await put_version(p, created_at="2026-01-01T00:00:00Z") == 201
    assert await put_version(p, pushed.id) == 200
    assert (await p.predict(pushed))["version"] == pushed.id
    made = await p.client.post("/predictions", json={"version": "alice/kite", "input": {}})
    assert made.json()["version"] == pushed.id
    await p.client.delete(f"/models/alice/kite/versions/{pushed.id}")
    assert (await p.client.get("/models/alice/kite")).json()["latest_version"]["id"] == PUBLISHED


@story
async def test_a_push_of_the_same_id_brings_the_code(p: Platform) -> None:
    await p.model("kite")
    await put_version(p)
    await refused_run(p, PUBLISHED)
    pushed = await p.version("kite", id=PUBLISHED)
    assert (await p.predict(pushed))["version"] == PUBLISHED
    shown = (await p.client.get(f"/models/alice/kite/versions/{PUBLISHED}")).json()
    assert "imported_from" not in shown and shown["cog_version"] == "0.23.1"


@story
async def test_nobody_hides_a_version_by_importing_its_id(p: Platform) -> None:
    pushed = await p.version("kite", owner="bob", visibility="public")
    await p.model("decoy")
    assert await put_version(p, pushed.id, model="alice/decoy") == 201
    assert (await p.predict(pushed))["model"] == "bob/kite"


async def stood_in(p: Platform, *, model: str, alias: dict[str, Any]) -> Version:
    """An imported version of acme/kite, and a pushed one of that model that stands in for it."""
    await p.client.post(
        "/models", json={"owner": "acme", "name": "kite", "visibility": "private", "hardware": "cpu"}
    )
    assert await put_version(p, model="acme/kite") == 201
    await refused_run(p, f"acme/kite:{PUBLISHED}")
    owner, _, name = model.partition("/")
    pushed = await p.version(name, owner=owner)
    path = f"/stoker/models/{model}/versions/{pushed.id}/aliases"
    answer = await p.client.put(path, json={"aliases": [alias]})
    assert answer.status_code == 200, answer.text
    return pushed


@story_with(account="alice")
async def test_a_stand_in_of_another_model_runs_for_an_imported_id(p: Platform) -> None:
    """As `stoker catalog add` makes it under a name of its own."""
    pushed = await stood_in(p, model="alice/local-kite", alias={"model": "acme/kite", "id": PUBLISHED})
    for named in (PUBLISHED, f"acme/kite:{PUBLISHED}", f"alice/local-kite:{PUBLISHED}", "acme/kite"):
        made = await p.client.post("/predictions", json={"version": named, "input": {}})
        assert (made.status_code, made.json()["version"]) == (201, pushed.id), named
    assert (await p.client.post("/models/acme/kite/predictions", json={"input": {}})).status_code == 201
    assert (await p.client.get(f"/models/acme/kite/versions/{PUBLISHED}")).json()["id"] == pushed.id
    pinned = {"name": "app", "model": "acme/kite", "version": PUBLISHED, "hardware": "cpu"}
    made = await p.client.post("/deployments", json=pinned | {"min_instances": 0, "max_instances": 1})
    assert made.json()["current_release"]["version"] == pushed.id
    assert await put_version(p, model="acme/kite") == 200
    assert await put_version(p, OLDER, model="acme/kite", created_at="2025-01-01T00:00:00Z") == 201
    made = await p.client.post("/predictions", json={"version": "acme/kite", "input": {}})
    assert made.json()["version"] == pushed.id
    await refused_run(p, OLDER)


@story_with(account="alice")
async def test_a_version_pushed_under_the_imported_name_stands_in_for_its_ids(p: Platform) -> None:
    pushed = await stood_in(p, model="acme/kite", alias={"model": None, "id": PUBLISHED})
    for named in (PUBLISHED, f"acme/kite:{PUBLISHED}", "acme/kite"):
        made = await p.client.post("/predictions", json={"version": named, "input": {}})
        assert (made.status_code, made.json()["version"]) == (201, pushed.id), named


@story
async def test_a_past_prediction_is_shown_as_it_was_and_counts_as_no_run(p: Platform) -> None:
    await p.version("kite")
    answer = await p.client.put(f"/stoker/predictions/{RUN}", json=past())
    assert answer.status_code == 201, answer.text
    shown = (await p.client.get(f"/predictions/{RUN}")).json()
    assert shown == answer.json()
    told = past(created_at="2024-05-01T10:00:00.000000Z", started_at="2024-05-01T10:00:01.500000Z")
    told |= {"completed_at": "2024-05-01T10:00:02.123456Z", "data_removed": False, "id": RUN}
    assert {key: shown[key] for key in told} == told
    assert shown["imported_at"].startswith("2026-")
    assert (await p.client.get("/models/alice/kite")).json()["run_count"] == 0
    listed = (await p.client.get("/predictions")).json()["results"]
    assert [one["id"] for one in listed] == [RUN]
    assert await p.store.outbox.due(2**62) == []
    again = await p.client.put(f"/stoker/predictions/{RUN}", json=past(output="changed"))
    assert (again.status_code, again.json()["output"]) == (200, ["a", "b"])
    theirs = await p.other.put(f"/stoker/predictions/{RUN}", json=past())
    assert theirs.status_code == 409
    asked = {"ids": [RUN, "nothing"]}
    assert (await p.client.post("/stoker/predictions/missing", json=asked)).json() == {"missing": ["nothing"]}
    assert (await p.other.post("/stoker/predictions/missing", json=asked)).json() == {"missing": asked["ids"]}


@story
async def test_what_clients_are_promised_is_there_whatever_the_source_left_out(p: Platform) -> None:
    succeeded = past(started_at=None, error="but a warning")
    made = (await p.client.put(f"/stoker/predictions/{RUN}", json=succeeded)).json()
    assert (made["started_at"], made["error"]) == (made["created_at"], None)
    failed = past(status="failed", error="", started_at=None)
    made = (await p.client.put(f"/stoker/predictions/{RUN[::-1]}", json=failed)).json()
    assert (made["started_at"], made["error"]) == (None, "Prediction failed")


@story
async def test_a_past_training_is_a_training(p: Platform) -> None:
    output = {"version": f"alice/kite:{PUBLISHED}", "weights": "https://example.com/weights.tar"}
    made = await p.client.put(f"/stoker/trainings/{RUN}", json=past(output=output))
    assert made.status_code == 201
    shown = (await p.client.get(f"/trainings/{RUN}")).json()
    assert (shown["output"], shown["urls"]["get"].split("/")[-2]) == (output, "trainings")
    assert (await p.client.get("/predictions")).json()["results"] == []


@story_with(retention_s=3600.0)
async def test_imported_data_is_kept_as_if_it_had_ended_when_it_came(p: Platform) -> None:
    file = await upload(p)
    body = past(source="api", output=[file["urls"]["get"]])
    made = (await p.client.put(f"/stoker/predictions/{RUN}", json=body)).json()
    now_us = p.clock.now_us()
    assert await p.store.predictions.remove_data("alice", now_us - 3_600_000_000) == []
    assert (await p.anonymous.get(made["output"][0])).content == b"a kite"
    assert (await p.client.get("/files")).json()["results"] == []
    assert await p.store.predictions.remove_data("alice", p.clock.now_us()) == [RUN]
    assert (await p.anonymous.get(made["output"][0])).status_code == 404


@story
async def test_an_example_of_elsewhere_shows_the_model_and_is_in_nobodys_history(p: Platform) -> None:
    await p.model("kite", visibility="public")
    file = await upload(p)
    body = past(output=file["urls"]["get"], default=True)
    path = f"/stoker/models/alice/kite/examples/{RUN}"
    assert (await p.client.put(path, json=body)).status_code == 201
    assert (await p.client.put(path, json=past())).status_code == 200
    (shown,) = (await p.other.get("/models/alice/kite/examples")).json()["results"]
    assert (shown["id"], shown["webhook"]) == (RUN, None)
    assert (await p.anonymous.get(shown["output"])).content == b"a kite"
    assert (await p.client.get("/models/alice/kite")).json()["default_example"]["id"] == RUN
    assert (await p.client.get("/predictions")).json()["results"] == []
    assert await p.store.predictions.remove_data("alice", 2**62) == []
    await p.client.post("/stoker/models/alice/kite/examples", json={"prediction": RUN, "default": True})
    assert (await p.client.delete(path)).status_code == 204
    assert (await p.client.get(f"/predictions/{RUN}")).status_code == 404
    assert (await p.client.put(path, json=past(data_removed=True))).status_code == 409


@story
async def test_files_of_others_are_not_adopted(p: Platform) -> None:
    theirs = (await p.other.post("/files", files={"content": ("b.txt", b"bob's")})).json()["urls"]["get"]
    made = (await p.client.put(f"/stoker/predictions/{RUN}", json=past(output=theirs))).json()
    assert made["output"] == theirs
    assert (await p.other.get(theirs)).status_code == 200


@story
async def test_nonsense_is_refused_field_by_field(p: Platform) -> None:
    await p.model("kite")
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    for bad in (
        {"openapi_schema": {}},
        {"openapi_schema": SCHEMA | {"openapi": 3}},
        {"openapi_schema": SCHEMA | {"paths": []}},
        {"openapi_schema": SCHEMA | {"components": {"schemas": {"Input": {"properties": {"x": 1}}}}}},
        {"openapi_schema": SCHEMA | {"components": {"schemas": {"Input": {}, "Output": {"items": []}}}}},
        {"openapi_schema": SCHEMA | {"components": {"schemas": {"Input": {}, "Other": 1}}}},
        {"openapi_schema": SCHEMA | {"components": {"schemas": []}}},
        {"created_at": "yesterday"},
        {"created_at": "2999-01-01T00:00:00Z"},
        {"cog_version": "x y"},
        {"imported_from": "javascript:alert(1)"},
        {"more": 1},
    ):
        assert await put_version(p, **bad) == 422, bad
    assert await put_version(p, openapi_schema=SCHEMA | {"x": deep}) == 400
    assert await put_version(p, "short") == 422
    for bad in (
        {"status": "processing"},
        {"completed_at": None},
        {"completed_at": "2999-01-01T00:00:00Z"},
        {"created_at": "2024-05-01T10:00:00"},
        {"started_at": "2024-04-01T10:00:00Z"},
        {"created_at": "0001-01-01T00:00:00Z"},
        {"input": []},
        {"metrics": 1},
        {"metrics": {"predict_time": -1}},
        {"metrics": {"total_time": "1"}},
        {"model": "kite"},
        {"version": "../x"},
        {"webhook": "file:///etc/passwd"},
        {"webhook_events_filter": ["boom"]},
        {"more": 1},
    ):
        answer = await p.client.put(f"/stoker/predictions/{RUN}", json=past(**bad))
        assert answer.status_code == 422, bad
    assert (await p.client.put(f"/stoker/predictions/{RUN}", json=past(input=deep))).status_code == 400
    assert (await p.client.put("/stoker/predictions/Bad_id", json=past())).status_code == 422
    for output in ("text", {"weights": "x"}, {"version": "latest"}):
        answer = await p.client.put(f"/stoker/trainings/{RUN}", json=past(output=output))
        assert answer.status_code == 422, output
    wrong = await p.client.put(f"/stoker/models/alice/kite/examples/{RUN}", json=past(model="alice/other"))
    assert wrong.status_code == 422
    asked = await p.client.post("/stoker/predictions/missing", json={"ids": ["x"] * 1001})
    assert asked.status_code == 422
    assert (await p.client.get("/predictions")).json()["results"] == []


@story
async def test_a_webhook_secret_moves_along(p: Platform) -> None:
    key, path = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "/stoker/accounts/alice/webhook-secret"
    assert (await p.client.put(path, json={"key": key})).json() == {"key": key}
    assert (await p.client.get("/webhooks/default/secret")).json() == {"key": key}
    for bad in (
        "",
        "whsec_",
        "whsec_a_b",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_" + "A" * 400,
        "whsec_é",
    ):
        assert (await p.client.put(path, json={"key": bad})).status_code == 422, bad
    account = await p.store.accounts.get("alice")
    assert account is not None and (account.webhook_secret, account.retention_s) == (key, None)
    assert math.inf not in (await p.store.accounts.retentions()).values()
