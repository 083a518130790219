"""Streams: section 8, gotchas 6 to 10."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
import pytest

from stoker.api.http import sse
from stoker.core.prediction import INTERRUPTED, Status
from tests.conformance.store.samples import prediction
from tests.contract.platform import FILE, FILES, TOKENS, Platform
from tests.contract.scripted import Run
from tests.contract.story import story


class Event(NamedTuple):
    name: str
    id: str
    data: str


def parse(text: str) -> list[Event]:
    """As a strict client reads it; comments are left out."""
    found: list[Event] = []
    for block in text.split("\n\n"):
        fields: dict[str, list[str]] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            assert not value or value.startswith(" ")
            fields.setdefault(name, []).append(value[1:])
        if "event" in fields:
            found.append(Event(fields["event"][0], fields["id"][0], "\n".join(fields["data"])))
    return found


async def read(p: Platform, url: str, **headers: str) -> list[Event]:
    response = await p.anonymous.get(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert response.status_code == 200, response.text
    assert response.text.startswith(": hi\n\n")
    return parse(response.text)


@asynccontextmanager
async def reading(p: Platform, url: str) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a live stream, one by one as they come."""

    async def events(response: httpx.Response) -> AsyncIterator[Event]:
        rest = ""
        async for text in response.aiter_text():
            *whole, rest = (rest + text).split("\n\n")
            for block in whole:
                for event in parse(block):
                    yield event

    async with p.anonymous.stream("GET", url) as response:
        assert response.status_code == 200
        yield events(response)


@story
async def test_live_stream_from_the_beginning_to_the_end(p: Platform) -> None:
    made, run = await p.running(await p.version("talk", output=TOKENS))
    run.emit("Once", " upon")
    second = run.prediction.created_us // 1_000_000
    async with reading(p, made["urls"]["stream"]) as events:
        assert await anext(events) == Event("output", f"{second}:0", "Once")
        assert await anext(events) == Event("output", f"{second}:1", " upon")
        run.emit(" a\ntime\n")
        assert await anext(events) == Event("output", f"{second}:2", " a\ntime\n")
        await run.end()
        assert await anext(events) == Event("done", f"{second}:3", "{}")
        assert [event async for event in events] == []
    assert await read(p, made["urls"]["stream"]) == [
        Event("output", f"{second}:0", "Once"),
        Event("output", f"{second}:1", " upon"),
        Event("output", f"{second}:2", " a\ntime\n"),
        Event("done", f"{second}:3", "{}"),
    ]


@story
async def test_finished_prediction_replays_from_the_store_with_the_same_ids(p: Platform) -> None:
    async def talks(run: Run) -> None:
        await run.start()
        run.emit("a", "", "b")
        await run.end()

    p.dispatcher.script = talks
    made = await p.predict(await p.version("talk", output=TOKENS), prefer="wait")
    assert p.dispatcher.live(made["id"]) is None
    events = await read(p, made["urls"]["stream"])
    assert [(e.name, e.data) for e in events] == [
        ("output", "a"),
        ("output", ""),
        ("output", "b"),
        ("done", "{}"),
    ]
    assert [e.id.rpartition(":")[2] for e in events] == ["0", "1", "2", "3"]
    resumed = await read(p, made["urls"]["stream"], last_event_id=events[1].id)
    assert resumed == events[2:]
    response = await p.anonymous.get(made["urls"]["stream"], headers={"last-event-id": events[-1].id})
    assert response.status_code == 204
    for foreign in ("7:1", "x", "", "1:" + "9" * 40):
        assert await read(p, made["urls"]["stream"], last_event_id=foreign) == events


@story
async def test_gotcha_8_no_token_a_wrong_one_and_a_browser(p: Platform) -> None:
    made = await p.predict(await p.version("talk", output=TOKENS), prefer="wait")
    url = made["urls"]["stream"]
    headers = {"authorization": "Bearer wrong", "origin": "https://app.example"}
    response = await p.anonymous.get(url, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "content-length" not in response.headers
    assert (await p.anonymous.options(url, headers=headers)).status_code == 204
    assert (await p.anonymous.head(url)).status_code == 200


@story
async def test_failed_and_cancelled(p: Platform) -> None:
    async def fails(run: Run) -> None:
        await run.start()
        run.emit("half")
        await run.end(Status.FAILED, 'out of "ink"')

    p.dispatcher.script = fails
    version = await p.version("talk", output=TOKENS)
    made = await p.predict(version, prefer="wait")
    events = await read(p, made["urls"]["stream"])
    assert [e.name for e in events] == ["output", "error", "done"]
    assert json.loads(events[1].data) == {"detail": 'out of "ink"'}
    assert json.loads(events[2].data) == {"reason": "error"}
    assert len({e.id for e in events}) == 3
    assert await read(p, made["urls"]["stream"], last_event_id=events[1].id) == events[2:]
    made, _ = await p.running(version)
    async with reading(p, made["urls"]["stream"]) as stream:
        await p.client.post(f"/predictions/{made['id']}/cancel")
        assert [(e.name, e.data) async for e in stream] == [("done", '{"reason":"canceled"}')]


@story
async def test_outputs_that_are_not_text(p: Platform) -> None:
    async def gives(run: Run) -> None:
        await run.start()
        for item in run.input["items"]:
            run.emit(item)
        await run.end()

    p.dispatcher.script = gives
    numbers = {"type": "array", "items": {"type": "integer"}, "x-cog-array-type": "iterator"}
    made = await p.predict(
        await p.version("count", output=numbers), {"items": [1, {"a": [2]}, None]}, prefer="wait"
    )
    events = await read(p, made["urls"]["stream"])
    assert [e.data for e in events[:-1]] == ["1", '{"a":[2]}', "null"]


@story
async def test_files_come_one_by_one(p: Platform) -> None:
    async def draws(run: Run) -> None:
        await run.start()
        run.emit(run.input["files"], item=False)
        await run.end()

    p.dispatcher.script = draws
    one, two = "https://example.com/1.png", "https://example.com/2.png"
    for output, given, expected in ((FILE, one, [one]), (FILES, [one, two], [one, two])):
        version = await p.version("draw", output=output)
        made = await p.predict(version, {"files": given}, prefer="wait")
        assert "/v1/files/stream-" in made["urls"]["stream"]
        events = await read(p, made["urls"]["stream"])
        assert [e.data for e in events if e.name == "output"] == expected


@story
async def test_streams_that_are_not_there(p: Platform) -> None:
    made = await p.predict(await p.version("talk", output=TOKENS), prefer="wait")
    for url in (made["urls"]["stream"][:-1] + "u", f"{p.base}/v1/files/stream-none"):
        assert (await p.anonymous.get(url)).status_code == 404
    await p.store.predictions.remove_data("alice", p.clock.now_us())
    assert (await p.anonymous.get(made["urls"]["stream"])).status_code == 404


@story
async def test_server_that_stops_ends_streams_without_done(p: Platform) -> None:
    made, run = await p.running(await p.version("talk", output=TOKENS))
    run.emit("a")
    async with reading(p, made["urls"]["stream"]) as events:
        assert (await anext(events)).data == "a"
        run.live.release()
        assert [event async for event in events] == []


def watch_unsubscribing(run: Run, *, readers: int) -> asyncio.Event:
    """Set when so many readers have left."""
    gone, left = asyncio.Event(), run.live.unsubscribe
    seen: list[object] = []

    def unsubscribe(waker: Callable[[], None]) -> None:
        left(waker)
        seen.append(waker)
        if len(seen) == readers:
            gone.set()

    run.live.unsubscribe = unsubscribe  # type: ignore[method-assign]
    return gone


@story
async def test_a_reader_of_what_a_crash_interrupted_hears_of_it_once(p: Platform) -> None:
    """It may have had more outputs than there are now: nothing of them was kept."""
    version = await p.version("talk", output=TOKENS)
    lost = prediction(model=version.model, version=version.id, account="alice", created_us=p.clock.now_us())
    await p.store.predictions.accept(lost)
    await p.store.predictions.start(lost.id, p.clock.now_us())
    p.clock.advance(60)
    assert await p.store.predictions.interrupt(p.clock.now_us(), INTERRUPTED) == 1
    url = p.services.links.prediction(lost.id, stream_key=lost.stream_key, files=False)["stream"]
    for before in ("0", "1", "2", "40"):
        had = f"{lost.created_us // 1_000_000}:{before}"
        events = await read(p, url, last_event_id=had)
        assert [event.name for event in events] == ["error", "done"]
    again = await p.anonymous.get(url, headers={"last-event-id": events[-1].id})
    assert again.status_code == 204


@story
async def test_slow_reader_slows_nobody_and_readers_that_leave_are_forgotten(p: Platform) -> None:
    made, run = await p.running(await p.version("talk", output=TOKENS))
    unsubscribed = watch_unsubscribing(run, readers=2)
    port = p.base.rpartition(":")[2]
    path = made["urls"]["stream"].removeprefix(p.base)
    _, slow = await asyncio.open_connection("127.0.0.1", int(port), limit=1024)
    slow.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    async with reading(p, made["urls"]["stream"]) as events:
        for n in range(200):
            run.emit("x" * 50_000 + str(n))
            assert (await anext(events)).data.endswith(f"x{n}")
        await run.end()
        assert (await anext(events)).name == "done"
    slow.transport.abort()
    await unsubscribed.wait()


@story
async def test_gotcha_7_idle_streams_are_kept_alive(p: Platform) -> None:
    made, _ = await p.running(await p.version("talk", output=TOKENS))
    patch = pytest.MonkeyPatch()
    patch.setattr(sse, "KEEP_ALIVE_S", 0.02)
    try:
        async with p.anonymous.stream("GET", made["urls"]["stream"]) as response:
            text = ""
            async for part in response.aiter_text():
                text += part
                if text.count("\n\n") >= 3:
                    break
    finally:
        patch.undo()
    assert text.startswith(": hi\n\n: still here\n\n: still here\n\n")


def test_gotcha_7_fifteen_seconds_at_most() -> None:
    assert sse.KEEP_ALIVE_S <= 15


def test_gotcha_10_lines() -> None:
    for text, data in (
        ("a", "data: a\n"),
        ("", "data: \n"),
        ("a\n", "data: a\ndata: \n"),
        ("\n", "data: \ndata: \n"),
        (" a\n\nb", "data:  a\ndata: \ndata: b\n"),
        ("a\r\nb\rc", "data: a\ndata: b\ndata: c\n"),
        ("a\u2028b\u0085c\x0bd\x1ce", "data: a\ndata: b\ndata: c\ndata: d\ndata: e\n"),
        ("\u00e9\u201c\U0001f600", "data: \u00e9\u201c\U0001f600\n"),
    ):
        expected = f"event: output\nid: 1:2\n{data}\n".encode()
        assert sse.event(b"output", b"1:2", text) == expected
        for encoded in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
            assert sse.json_event(b"output", b"1:2", encoded.encode()) == expected
