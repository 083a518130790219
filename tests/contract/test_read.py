"""Reading, listing and cancelling predictions: sections 5.6 and 14."""

import base64
import json
from datetime import UTC, datetime

import msgspec

from stoker.api.wire import time_text
from stoker.core.prediction import Status
from tests.contract.platform import FILES, TOKENS, Platform
from tests.contract.scripted import Run, never_starts
from tests.contract.story import story


@story
async def test_gotcha_36_get_follows_the_prediction(p: Platform) -> None:
    p.dispatcher.script = never_starts
    made = await p.predict(await p.version("sketch", output=TOKENS))
    run, path = p.dispatcher.run(made["id"]), f"/predictions/{made['id']}"
    assert (await p.client.get(path)).json()["status"] == "starting"
    await run.start()
    run.emit("Once", " upon")
    run.log(" 10%|#         | 1/10\r 20%|##        | 2/10\r")
    now = (await p.client.get(path)).json()
    assert (now["status"], now["output"], now["completed_at"], now["metrics"]) == (
        "processing",
        ["Once", " upon"],
        None,
        {},
    )
    assert now["logs"] == " 10%|#         | 1/10\r 20%|##        | 2/10\r"
    run.emit(" a time")
    assert (await p.client.get(path)).json()["output"] == ["Once", " upon", " a time"]
    await run.end()
    run.stopped.set()
    done = (await p.client.get(path)).json()
    assert (done["status"], done["output"]) == ("succeeded", ["Once", " upon", " a time"])
    assert done["metrics"].keys() == {"predict_time", "total_time"}


@story
async def test_gotcha_38_predictions_of_others_do_not_exist(p: Platform) -> None:
    made = await p.predict(await p.version("sketch"), prefer="wait")
    for client, path in ((p.other, f"/predictions/{made['id']}"), (p.client, "/predictions/none")):
        response = await client.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json() == {"detail": "The requested resource could not be found.", "status": 404}
    response = await p.other.post(f"/predictions/{made['id']}/cancel")
    assert response.status_code == 404


@story
async def test_gotcha_18_cancel_with_an_empty_json_body(p: Platform) -> None:
    made, _ = await p.running(await p.version("sketch"))
    headers = {"content-type": "application/json"}
    response = await p.client.post(f"/predictions/{made['id']}/cancel", headers=headers)
    canceled = response.json()
    assert response.status_code == 200
    assert canceled.keys() == made.keys()
    assert (canceled["status"], canceled["error"]) == ("canceled", None)
    assert canceled["completed_at"] is not None
    assert canceled["logs"] == ""
    assert (await p.client.get(f"/predictions/{made['id']}", headers=headers)).json() == canceled


@story
async def test_cancelling_what_is_over_changes_nothing(p: Platform) -> None:
    made = await p.predict(await p.version("sketch"), prefer="wait")
    response = await p.client.post(f"/predictions/{made['id']}/cancel")
    assert response.status_code == 200
    assert response.json() == made


@story
async def test_cancelled_before_it_ran(p: Platform) -> None:
    p.dispatcher.script = never_starts
    made = await p.predict(await p.version("sketch"))
    canceled = (await p.client.post(f"/predictions/{made['id']}/cancel")).json()
    assert (canceled["status"], canceled["started_at"]) == ("canceled", None)
    assert canceled["metrics"]["predict_time"] == 0


@story
async def test_list_pages_both_ways(p: Platform) -> None:
    version = await p.version("sketch")
    made = [prediction.id for prediction in await p.history(version, 205)]
    first = (await p.client.get("/predictions")).json()
    assert first.keys() == {"next", "previous", "results"}
    assert first["previous"] is None
    assert first["next"].startswith(f"{p.base}/v1/predictions?cursor=")  # gotcha 21
    assert [r["id"] for r in first["results"]] == made[:-101:-1]
    second = (await p.client.get(first["next"])).json()
    third = (await p.client.get(second["next"])).json()
    assert [r["id"] for r in third["results"]] == made[4::-1]
    assert third["next"] is None
    back = (await p.client.get(third["previous"])).json()
    assert back == second
    assert (await p.client.get(back["previous"])).json() == first
    assert (await p.other.get("/predictions")).json() == {"next": None, "previous": None, "results": []}


@story
async def test_list_filters_travel_in_the_cursor(p: Platform) -> None:
    version = await p.version("sketch")
    made = await p.history(version, 130, apart_s=1)
    after, before = time_text(made[5].created_us), time_text(made[125].created_us)
    query = {"created_after": after, "created_before": before}
    first = (await p.client.get("/predictions", params=query)).json()
    rest = (await p.client.get(first["next"])).json()
    listed = [r["id"] for r in first["results"] + rest["results"]]
    assert listed == [prediction.id for prediction in made[5:125]][::-1]
    assert rest["next"] is None
    zoned = after.replace("Z", "+00:00")
    assert len((await p.client.get("/predictions", params={"created_after": zoned})).json()["results"]) == 100
    unquoted = f"/predictions?created_after={zoned}&created_before={before}"
    assert (await p.client.get(unquoted)).json()["results"] == first["results"]
    for bad in ({"created_after": "yesterday"}, {"source": "moon"}):
        assert (await p.client.get("/predictions", params=bad)).status_code == 422
    assert (await p.client.get("/predictions", params={"source": "web"})).json()["results"] == []


@story
async def test_the_source_web_goes_back_two_weeks(p: Platform) -> None:
    version = await p.version("sketch")
    await p.history(version, 1, source="web")
    p.clock.advance(5 * 86400)
    recent = await p.history(version, 101, source="web")
    await p.history(version, 1)
    p.clock.advance(10 * 86400)
    first = (await p.client.get("/predictions", params={"source": "web"})).json()
    rest = (await p.client.get(first["next"])).json()
    listed = first["results"] + rest["results"]
    assert [made["id"] for made in listed] == [made.id for made in reversed(recent)]
    assert {made["source"] for made in listed} == {"web"}
    long_ago = {"source": "web", "created_after": "2000-01-01"}
    assert (await p.client.get("/predictions", params=long_ago)).json()["results"] == first["results"]
    lately = {"source": "web", "created_after": time_text(recent[-1].created_us)}
    only = (await p.client.get("/predictions", params=lately)).json()["results"]
    assert [made["id"] for made in only] == [recent[-1].id]
    assert len((await p.client.get("/predictions")).json()["results"]) == 100
    assert len((await p.client.get("/predictions", params={"source": "api"})).json()["results"]) == 1


@story
async def test_dates_in_the_spellings_of_iso_8601(p: Platform) -> None:
    version = await p.version("sketch")
    (made,) = await p.history(version, 1)
    moment = datetime.fromtimestamp(made.created_us / 1e6, UTC)
    for text in (moment.strftime("%Y-%m-%d"), moment.strftime("%Y%m%dT%H%M%SZ"), "0001-01-01T00:00:00+14:00"):
        listed = (await p.client.get("/predictions", params={"created_after": text})).json()["results"]
        assert [one["id"] for one in listed] == [made.id], text
        none = (await p.client.get("/predictions", params={"created_before": text})).json()["results"]
        assert none == [], text
    for text in ("", "created"):
        status = (await p.client.get("/predictions", params={"created_before": text})).status_code
        assert status == (422 if text else 200)


@story
async def test_a_cursor_stays_where_it_is_while_others_are_added(p: Platform) -> None:
    version = await p.version("sketch")
    made = [prediction.id for prediction in await p.history(version, 150)]
    first = (await p.client.get("/predictions")).json()
    await p.history(version, 30)
    second = (await p.client.get(first["next"])).json()
    assert [r["id"] for r in first["results"] + second["results"]] == made[::-1]
    assert second["next"] is None
    back = (await p.client.get(second["previous"])).json()
    assert [r["id"] for r in back["results"]] == [r["id"] for r in first["results"]]
    assert back["previous"] is not None, "what was added since"


def cursor(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


@story
async def test_bad_cursors(p: Platform) -> None:
    too_large = cursor(2**63, "x"), cursor(-(2**63), "x"), cursor(0, "x", False, {"after": 2**64 - 1})
    wrong = cursor("0", "x"), cursor(0), cursor(0, "x", "y"), cursor(0, "x", False, {"after": [1]})
    for cursor_text in ("x", "bm9uc2Vuc2U", "\u00e4", "W10", *too_large, *wrong):
        response = await p.client.get("/predictions", params={"cursor": cursor_text})
        assert response.status_code == 404, cursor_text
        assert response.json()["detail"] == "Invalid cursor"


@story
async def test_list_shows_what_is_live(p: Platform) -> None:
    made, run = await p.running(await p.version("sketch", output=TOKENS))
    run.emit("so far")
    listed = (await p.client.get("/predictions")).json()["results"]
    assert [(r["id"], r["output"]) for r in listed] == [(made["id"], ["so far"])]


@story
async def test_a_list_shows_each_as_a_get_does_whatever_its_version(p: Platform) -> None:
    text, files = await p.version("text", output=TOKENS), await p.version("files", output=FILES)
    gone = msgspec.structs.replace(text, id="0" * 64)
    for version in (text, files, gone, files, await p.version("still"), text):
        await p.history(version, 1)
    shown = (await p.client.get("/predictions")).json()["results"]
    assert shown == [(await p.client.get(f"/predictions/{one['id']}")).json() for one in shown]
    streams = [one["urls"].get("stream", "").removeprefix(f"{p.base}/v1/")[:7] for one in reversed(shown)]
    assert streams == ["streams", "files/s", "", "files/s", "", "streams"]


@story
async def test_removed_data(p: Platform) -> None:
    made = await p.predict(await p.version("sketch"), {"text": "x"}, prefer="wait")
    await p.store.predictions.remove_data("alice", p.clock.now_us())
    now = (await p.client.get(f"/predictions/{made['id']}")).json()
    assert (now["data_removed"], now["output"], now["input"], now["logs"]) == (True, None, {}, "")
    assert now["status"] == "succeeded"


@story
async def test_failed_prediction(p: Platform) -> None:
    async def fails(run: Run) -> None:
        await run.start()
        run.emit("half")
        await run.end(Status.FAILED, "out of ink")

    p.dispatcher.script = fails
    made = await p.predict(await p.version("sketch", output=TOKENS), prefer="wait")
    assert (made["status"], made["error"], made["output"]) == ("failed", "out of ink", ["half"])
