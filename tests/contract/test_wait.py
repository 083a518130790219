"""Sync mode: ``Prefer: wait`` (section 7.2)."""

import asyncio

import pytest
from starlette.datastructures import Headers

from stoker.api.http import preferences
from tests.contract.platform import Platform
from tests.contract.scripted import Run, never_ends
from tests.contract.story import story


@story
async def test_finished_within_the_wait(p: Platform) -> None:
    version = await p.version("sketch")
    body = {"version": version.id, "input": {"text": "hi"}}
    response = await p.client.post("/predictions", json=body, headers={"prefer": "wait=10"})
    made = response.json()
    assert response.status_code == 201
    assert response.headers["preference-applied"] == "wait=10"
    assert (made["status"], made["output"]) == ("succeeded", {"text": "hi"})
    assert made["metrics"].keys() == {"predict_time", "total_time"}
    stored = await p.store.predictions.get(made["id"])
    assert stored is not None and stored.status == "succeeded"


@story
async def test_gotcha_1_expired_wait_reads_starting(p: Platform) -> None:
    async def talks(run: Run) -> None:
        await run.start()
        run.emit("half an output")
        run.log("half a log")
        await run.stopped.wait()

    p.dispatcher.script = talks
    made = await p.predict(await p.version("sketch"), prefer="wait=1", x_stainless_read_timeout="2.05")
    assert (made["status"], made["output"], made["started_at"]) == ("starting", None, None)
    await p.dispatcher.run(made["id"]).begun.wait()
    now = (await p.client.get(f"/predictions/{made['id']}")).json()
    assert now["status"] == "processing"


@story
async def test_server_that_stops_lets_waiting_requests_go(p: Platform) -> None:
    async def released(run: Run) -> None:
        await run.start()
        run.live.release()
        await run.stopped.wait()

    p.dispatcher.script = released
    made = await p.predict(await p.version("sketch"), prefer="wait")
    assert made["status"] == "starting"


@story
async def test_a_client_that_hangs_up_ends_nothing(p: Platform) -> None:
    """Who wants that says ``Cancel-After``, or speaks OpenAI's API, where it is so."""
    begun: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
    heard, go = asyncio.Event(), asyncio.Event()

    async def goes_on(run: Run) -> None:
        await run.start()
        begun.set_result(run)
        await go.wait()
        await run.end()
        heard.set()

    p.dispatcher.script = goes_on
    version = await p.version("sketch")
    asking = asyncio.create_task(p.predict(version, prefer="wait=60"))
    run = await begun
    asking.cancel()
    await asyncio.wait([asking])
    other = await p.client.get(f"/predictions/{run.prediction.id}")  # after the server has seen it go
    assert other.json()["status"] == "processing"
    assert not run.stopped.is_set()
    go.set()
    await heard.wait()
    assert (await p.client.get(f"/predictions/{run.prediction.id}")).json()["status"] == "succeeded"


@story
async def test_malformed_preferences_are_ignored(p: Platform) -> None:
    p.dispatcher.script = never_ends
    version = await p.version("sketch")
    for prefer in ("wait=0", "wait=x", "respond-async", "wait=-1", ""):
        body = {"version": version.id, "input": {}}
        response = await p.client.post("/predictions", json=body, headers={"prefer": prefer})
        assert response.status_code == 201
        assert "preference-applied" not in response.headers


@pytest.mark.parametrize(
    ("prefer", "read_timeout", "applied", "hold_s"),
    [
        ("wait", None, "wait", 57),
        ("wait=60", None, "wait=60", 57),
        ("wait=99", None, "wait=60", 57),
        ("wait=86400", None, "wait=60", 57),
        ("wait=10", None, "wait=10", 10),
        ("wait", "60", "wait", 57),
        ("wait", "30", "wait", 28),
        ("wait=5", "60", "wait=5", 5),
        ("wait", "1", "wait", 0),
        ("wait", "nan", "wait", 57),
        ("respond-async, wait=3", None, "wait=3", 3),
    ],
)
def test_gotcha_2_how_long_a_request_is_held(
    prefer: str, read_timeout: str | None, applied: str, hold_s: float
) -> None:
    headers = {"prefer": prefer} | ({"x-stainless-read-timeout": read_timeout} if read_timeout else {})
    assert preferences.wait(Headers(headers)) == preferences.Wait(applied, hold_s)
