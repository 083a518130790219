"""Creating predictions: sections 5.5 and 6, and the gotchas of Appendix B that concern it."""

import re
from collections.abc import AsyncIterator

from stoker.core.prediction import Status
from tests.contract.platform import FILE, TOKENS, Platform
from tests.contract.scripted import Run, never_starts
from tests.contract.story import story, story_with

KEYS = {
    "id",
    "model",
    "version",
    "input",
    "logs",
    "output",
    "data_removed",
    "error",
    "source",
    "status",
    "created_at",
    "started_at",
    "completed_at",
    "metrics",
    "urls",
    "webhook",
}


@story
async def test_created_prediction_is_complete(p: Platform) -> None:
    p.dispatcher.script = never_starts
    version = await p.version("sketch")
    response = await p.client.post(
        "/predictions", json={"version": version.id, "input": {"prompt": "a kite"}}
    )
    made = response.json()
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert response.headers["location"] == made["urls"]["get"]
    assert "preference-applied" not in response.headers
    assert made.keys() == KEYS
    assert re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", made["id"])
    own = f"{p.base}/v1/predictions/{made['id']}"
    assert made["urls"] == {"get": own, "cancel": f"{own}/cancel", "web": f"{p.base}/p/{made['id']}"}
    assert made["input"] == {"prompt": "a kite"}
    assert (made["model"], made["version"], made["status"]) == ("alice/sketch", version.id, "starting")
    assert (made["logs"], made["output"], made["metrics"], made["source"]) == ("", None, {}, "api")


@story
async def test_gotcha_3_stream_url_is_there_or_absent_but_never_null(p: Platform) -> None:
    p.dispatcher.script = never_starts
    plain = await p.predict(await p.version("plain"))
    tokens = await p.predict(await p.version("tokens", output=TOKENS))
    picture = await p.predict(await p.version("picture", output=FILE))
    assert "stream" not in plain["urls"]
    assert re.fullmatch(rf"{p.base}/v1/streams/[0-9a-z]{{52}}", tokens["urls"]["stream"])
    assert re.fullmatch(rf"{p.base}/v1/files/stream-[0-9a-z]{{52}}", picture["urls"]["stream"])


@story
async def test_gotcha_4_error_is_null_and_gotcha_34_times_have_six_digits(p: Platform) -> None:
    made = await p.predict(await p.version("sketch"), prefer="wait")
    assert made["error"] is None
    for name in ("created_at", "started_at", "completed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", made[name])


@story
async def test_gotcha_23_unknown_top_level_keys_are_refused(p: Platform) -> None:
    version = await p.version("sketch")
    body = {"version": version.id, "input": {}, "model": "alice/sketch", "temperature": 1}
    response = await p.client.post("/predictions", json=body)
    assert response.status_code == 422
    assert [field["type"] for field in response.json()["invalid_fields"]] == [
        "additional_property_not_allowed",
        "additional_property_not_allowed",
    ]
    assert "Additional property model is not allowed" in response.json()["detail"]
    body = {"version": version.id, "input": {}, "stream": True, "webhook_completed": "https://example.com/x"}
    assert (await p.client.post("/predictions", json=body)).status_code == 201
    assert p.dispatcher.submitted[-1].webhook == "https://example.com/x"
    assert p.dispatcher.submitted[-1].webhook_events == ("completed",)


@story
async def test_gotcha_24_versions_in_all_spellings(p: Platform) -> None:
    older = await p.version("sketch")
    newest = await p.version("sketch")
    for spelling, expected in (
        (older.id, older.id),
        (f"alice/sketch:{older.id}", older.id),
        ("alice/sketch", newest.id),
    ):
        response = await p.client.post("/predictions", json={"version": spelling, "input": {}})
        assert response.status_code == 201, response.text
        assert response.json()["version"] == expected
    response = await p.client.post("/models/alice/sketch/predictions", json={"input": {}})
    assert response.json()["version"] == newest.id


@story
async def test_versions_that_cannot_be_used(p: Platform) -> None:
    version = await p.version("sketch")
    await p.model("empty")
    secret = await p.version("secret", owner="bob")
    for spelling in (
        "alice/sketch:latest",
        "alice/sketch:",
        f":{version.id}",
        f"alice/other:{version.id}",
        "0" * 64,
        secret.id,
        f"bob/secret:{secret.id}",
        "bob/secret",
        "alice/empty",
        "nonsense",
        "",
    ):
        response = await p.client.post("/predictions", json={"version": spelling, "input": {}})
        assert response.status_code == 422, spelling
        assert response.json()["title"] == "Invalid version or not permitted"
    assert (await p.client.post("/models/alice/none/predictions", json={"input": {}})).status_code == 404
    assert (await p.client.post("/models/bob/secret/predictions", json={"input": {}})).status_code == 404
    assert (await p.client.post("/deployments/alice/none/predictions", json={"input": {}})).status_code == 404
    assert p.dispatcher.submitted == []


@story
async def test_public_model_of_another_account_can_be_run(p: Platform) -> None:
    version = await p.version("open", owner="bob", visibility="public")
    made = await p.predict(version)
    assert made["model"] == "bob/open"


@story
async def test_gotcha_25_bodies_that_are_wrong(p: Platform) -> None:
    version = await p.version("sketch")
    for body, status, field in (
        (b"{", 400, None),
        (b"", 400, None),
        (b'{"version": "\xff"}', 400, None),
        (b"[]", 422, ""),
        (b'{"input": {}}', 422, ""),
        (b'{"version": 7, "input": {}}', 422, "version"),
        (f'{{"version": "{version.id}"}}'.encode(), 422, ""),
        (f'{{"version": "{version.id}", "input": [1]}}'.encode(), 422, "input"),
        (f'{{"version": "{version.id}", "input": {{}}, "webhook": 7}}'.encode(), 422, "webhook"),
        (f'{{"version": "{version.id}", "input": {{}}, "webhook": "ftp://x/"}}'.encode(), 422, "webhook"),
        (
            f'{{"version": "{version.id}", "input": {{}}, "webhook_events_filter": ["end"]}}'.encode(),
            422,
            "webhook_events_filter.0",
        ),
        (b'{"a":' * 100_000, 400, None),
        (f'{{"version": "{version.id}", "input": {{"x": {"[" * 400}{"]" * 400}}}}}'.encode(), 400, None),
    ):
        response = await p.client.post(
            "/predictions", content=body, headers={"content-type": "application/json"}
        )
        problem = response.json()
        assert response.status_code == status, (body[:80], response.text)
        assert response.headers["content-type"] == "application/problem+json"
        assert isinstance(problem["detail"], str) and problem["detail"]
        assert problem["status"] == status
        if field is not None:
            assert problem["invalid_fields"][0]["field"] == field
    assert p.dispatcher.submitted == []


@story_with(body_limit_bytes=1000)
async def test_body_over_the_limit(p: Platform) -> None:
    version = await p.version("sketch")
    big = {"version": version.id, "input": {"text": "x" * 2000}}
    response = await p.client.post("/predictions", json=big)
    assert response.status_code == 413
    assert response.headers["connection"] == "close"

    async def long_and_unannounced() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 6000

    response = await p.client.post("/predictions", content=long_and_unannounced())
    assert response.status_code == 413


@story
async def test_webhook_and_its_events_are_kept_and_shown(p: Platform) -> None:
    p.dispatcher.script = never_starts
    version = await p.version("sketch")
    body = {
        "version": version.id,
        "input": {},
        "webhook": "https://example.com/hook?user=1&x=%20",
        "webhook_events_filter": ["start", "completed"],
    }
    made = (await p.client.post("/predictions", json=body)).json()
    assert made["webhook"] == "https://example.com/hook?user=1&x=%20"
    assert made["webhook_events_filter"] == ["start", "completed"]
    stored = await p.store.predictions.get(made["id"])
    assert stored is not None and stored.webhook_events == ("start", "completed")


@story_with(allow_http_webhooks=False)
async def test_http_webhooks_can_be_forbidden(p: Platform) -> None:
    version = await p.version("sketch")
    body = {"version": version.id, "input": {}, "webhook": "http://example.com/"}
    assert (await p.client.post("/predictions", json=body)).status_code == 422


@story
async def test_cancel_after_sets_the_deadline(p: Platform) -> None:
    p.dispatcher.script = never_starts
    version = await p.version("sketch")
    for text, seconds in (("90", 90), ("90s", 90), ("5m", 300), ("1h30m45s", 5445), ("24h", 86400)):
        made = await p.predict(version, cancel_after=text)
        submitted = p.dispatcher.submitted[-1]
        assert submitted.deadline_us == submitted.created_us + seconds * 1_000_000
        assert made["deadline"] > made["created_at"]
    for text in ("4", "24h1s", "soon", "", "-5", "1.5m"):
        response = await p.client.post(
            "/predictions", json={"version": version.id, "input": {}}, headers={"cancel-after": text}
        )
        assert response.status_code == 422, text


@story
async def test_repeated_create_of_the_python_2_client_gets_the_first_prediction(p: Platform) -> None:
    p.dispatcher.script = never_starts
    version = await p.version("sketch")
    first = await p.predict(version, {"n": 1}, x_stainless_retry_count="0")
    again = await p.predict(version, {"n": 1}, x_stainless_retry_count="1")
    other = await p.predict(version, {"n": 2}, x_stainless_retry_count="1")
    deliberate = await p.predict(version, {"n": 1}, x_stainless_retry_count="0")
    assert again["id"] == first["id"]
    assert len({first["id"], other["id"], deliberate["id"]}) == 3
    p.clock.advance(181)
    late = await p.predict(version, {"n": 1}, x_stainless_retry_count="2")
    assert late["id"] not in (first["id"], deliberate["id"])


@story
async def test_repeated_create_finds_what_ended_meanwhile(p: Platform) -> None:
    version = await p.version("sketch")
    first = await p.predict(version, {"n": 1}, prefer="wait", x_stainless_retry_count="0")
    again = await p.predict(version, {"n": 1}, prefer="wait", x_stainless_retry_count="1")
    assert (again["id"], again["status"]) == (first["id"], "succeeded")


@story
async def test_repeated_create_after_one_that_failed_is_a_new_one(p: Platform) -> None:
    version = await p.version("sketch")
    accept = p.store.predictions.accept

    async def broken(*_: object) -> None:
        raise RuntimeError

    p.store.predictions.accept = broken  # type: ignore[method-assign]
    body = {"version": version.id, "input": {}}
    first, second = {"x-stainless-retry-count": "0"}, {"x-stainless-retry-count": "1"}
    assert (await p.client.post("/predictions", json=body, headers=first)).status_code == 500
    p.store.predictions.accept = accept  # type: ignore[method-assign]
    assert (await p.client.post("/predictions", json=body, headers=second)).status_code == 201


@story
async def test_draining_server_says_come_back(p: Platform) -> None:
    version = await p.version("sketch")
    p.dispatcher.draining = True
    response = await p.client.post("/predictions", json={"version": version.id, "input": {}})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"


@story
async def test_gotcha_26_failures_of_the_server_are_not_to_be_repeated(p: Platform) -> None:
    version = await p.version("sketch")

    async def broken(*_: object) -> None:
        raise RuntimeError("the disk is on fire at /secret/place")

    p.store.predictions.accept = broken  # type: ignore[method-assign]
    response = await p.client.post("/predictions", json={"version": version.id, "input": {}})
    assert response.status_code == 500
    assert response.headers["x-should-retry"] == "false"
    assert "fire" not in response.text and "secret" not in response.text
    assert response.json()["instance"].startswith("urn:request:")


@story
async def test_failure_within_the_wait_is_no_http_error(p: Platform) -> None:
    async def fails(run: Run) -> None:
        await run.start()
        await run.end(Status.FAILED, "out of ink")

    p.dispatcher.script = fails
    made = await p.predict(await p.version("sketch"), prefer="wait")
    assert (made["status"], made["error"], made["output"]) == ("failed", "out of ink", None)
