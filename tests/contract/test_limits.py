"""Rate limits: section 12, gotcha 27."""

import re

from tests.contract.platform import Platform
from tests.contract.story import story, story_with

LIMITED = {"rate_limit_create_per_minute": 3, "rate_limit_per_minute": 5}


@story_with(**LIMITED)
async def test_too_many_creates(p: Platform) -> None:
    version = await p.version("sketch")
    body = {"version": version.id, "input": {}}
    left = [await p.client.post("/predictions", json=body) for _ in range(3)]
    assert [answer.headers["ratelimit-remaining"] for answer in left] == ["2", "1", "0"]
    assert left[0].headers["ratelimit-reset"] == "20"
    refused = await p.client.post("/predictions", json=body)
    wait_s = int(refused.headers["retry-after"])
    assert refused.json() == {
        "title": "Too many requests",
        "detail": f"Request was throttled. Your rate limit resets in ~{wait_s}s.",
        "status": 429,
        "retry_after": wait_s,
    }
    assert re.search(r"resets in ~(\d+)s", refused.json()["detail"])
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["ratelimit-remaining"] == "0"
    assert refused.headers["ratelimit-reset"] == refused.headers["retry-after"]
    assert len(p.dispatcher.submitted) == 3
    assert (await p.client.get("/account")).status_code == 200, "other requests have a bucket of their own"
    assert (await p.other.get("/account")).headers["ratelimit-remaining"] == "4", "and so have other tokens"


@story_with(**LIMITED)
async def test_gotcha_27_asking_again_at_once_extends_nothing(p: Platform) -> None:
    for _ in range(5):
        assert (await p.client.get("/account")).status_code == 200
    waits = [int((await p.client.get("/account")).headers["retry-after"]) for _ in range(6)]
    assert max(waits) <= 12
    p.clock.advance(waits[0])
    assert (await p.client.get("/account")).status_code == 200


@story_with(**LIMITED)
async def test_where_the_headers_are(p: Platform) -> None:
    missing = await p.client.get("/predictions/none")
    assert (missing.status_code, missing.headers["ratelimit-remaining"]) == (404, "99")
    assert "ratelimit-remaining" not in (await p.client.get("/files")).headers
    assert (await p.client.get("/account")).headers["ratelimit-remaining"] == "3", "but files count"
    assert "ratelimit-remaining" not in (await p.anonymous.get("/account")).headers
    assert "ratelimit-remaining" not in (await p.anonymous.get(f"{p.base}/health")).headers


@story_with(**LIMITED)
async def test_full_buckets_are_forgotten(p: Platform) -> None:
    await p.client.get("/account")
    p.services.limits.step(p.clock.now_us())
    assert (await p.client.get("/account")).headers["ratelimit-remaining"] == "3"
    p.clock.advance(60)
    p.services.limits.step(p.clock.now_us())
    assert (await p.client.get("/account")).headers["ratelimit-remaining"] == "4"


@story
async def test_this_machine_alone_has_no_limits(p: Platform) -> None:
    assert "ratelimit-remaining" not in (await p.client.get("/account")).headers


@story_with(host="0.0.0.0")
async def test_others_have_the_documented_ones(p: Platform) -> None:
    answer = await p.client.get("/account")
    assert (answer.headers["ratelimit-remaining"], answer.headers["ratelimit-reset"]) == ("2999", "1")
