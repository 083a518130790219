"""OpenAI's API where the model's side is scripted: hanging up, waiting in vain, limits, what is written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import APIError, AsyncOpenAI, ConflictError, InternalServerError, RateLimitError

from stoker.core.prediction import INTERRUPTED, Status
from tests.contract.platform import TOKEN, TOKENS, Platform
from tests.contract.scripted import Run, Script, never_starts
from tests.contract.story import story, story_with

SAID: list[Any] = [{"role": "user", "content": "Hi"}]
PROMPT = {"type": "object", "properties": {"prompt": {"type": "string"}, "seed": {"type": "integer"}}}


@asynccontextmanager
async def asking(p: Platform) -> AsyncIterator[AsyncOpenAI]:
    """The published client, and a model ``alice/sketch`` for it."""
    await p.version("sketch", input=PROMPT, output=TOKENS)
    async with AsyncOpenAI(api_key=TOKEN, base_url=f"{p.base}/openai/v1", max_retries=0) as client:
        yield client


def says(*pieces: Any, status: Status = Status.SUCCEEDED, error: str | None = None) -> Script:
    """A model that gives all pieces in one turn."""

    async def script(run: Run) -> None:
        await run.start()
        run.emit(*pieces)
        await run.end(status, error)

    return script


def held(p: Platform) -> "asyncio.Queue[Run]":
    """The next predictions run until they are stopped; their runs."""
    runs: asyncio.Queue[Run] = asyncio.Queue()

    async def script(run: Run) -> None:
        await run.start()
        runs.put_nowait(run)
        await run.stopped.wait()

    p.dispatcher.script = script
    return runs


async def status_of(p: Platform, run: Run) -> Status:
    stored = await p.store.predictions.get(run.prediction.id)
    assert stored is not None
    return stored.status


@story
async def test_who_stops_waiting_ends_all_predictions(p: Platform) -> None:
    async with asking(p) as client:
        runs = held(p)
        waiting = asyncio.create_task(
            client.chat.completions.create(model="alice/sketch", messages=SAID, n=2)
        )
        both = [await runs.get(), await runs.get()]
        waiting.cancel()
        for run in both:
            await run.stopped.wait()
            assert await status_of(p, run) is Status.CANCELED


@story
async def test_who_leaves_a_stream_before_it_begins_ends_the_prediction(p: Platform) -> None:
    async with asking(p) as client:
        runs = held(p)
        waiting = asyncio.create_task(
            client.chat.completions.create(model="alice/sketch", messages=SAID, stream=True)
        )
        run = await runs.get()
        waiting.cancel()
        await run.stopped.wait()
        assert await status_of(p, run) is Status.CANCELED


@story
async def test_what_others_cancel_is_a_conflict(p: Platform) -> None:
    async with asking(p) as client:
        runs = held(p)
        waiting = asyncio.create_task(client.chat.completions.create(model="alice/sketch", messages=SAID))
        run = await runs.get()
        assert (await p.client.post(f"/predictions/{run.prediction.id}/cancel")).status_code == 200
        with pytest.raises(ConflictError) as canceled:
            await waiting
        assert canceled.value.code == "prediction_canceled"
        assert canceled.value.response.headers["x-should-retry"] == "false"


@story
async def test_one_of_several_that_fails_ends_the_others(p: Platform) -> None:
    async with asking(p) as client:
        runs = held(p)
        waiting = asyncio.create_task(
            client.chat.completions.create(model="alice/sketch", messages=SAID, n=2)
        )
        first, second = await runs.get(), await runs.get()
        await first.end(Status.FAILED, "out of memory")
        with pytest.raises(InternalServerError, match="out of memory"):
            await waiting
        assert await status_of(p, second) is Status.CANCELED


@story_with(openai_queue_s=0.01)
async def test_what_no_instance_takes_in_time_is_refused(p: Platform) -> None:
    async with asking(p) as client:
        p.dispatcher.script = never_starts
        for streams in (False, True):
            with pytest.raises(InternalServerError, match=r"within 0\.01 seconds") as late:
                await client.chat.completions.create(  # type: ignore[call-overload]
                    model="alice/sketch", messages=SAID, stream=streams
                )
            assert (late.value.status_code, late.value.code) == (503, "unavailable")
            assert late.value.response.headers["retry-after"] == "2"
        for prediction in p.dispatcher.submitted:
            stored = await p.store.predictions.get(prediction.id)
            assert stored is not None and stored.status is Status.CANCELED


@story
async def test_a_server_that_stops_says_so(p: Platform) -> None:
    async with asking(p) as client:
        runs = held(p)
        waiting = asyncio.create_task(client.chat.completions.create(model="alice/sketch", messages=SAID))
        run = await runs.get()
        run.live.release()
        with pytest.raises(InternalServerError) as stopped:
            await waiting
        assert stopped.value.status_code == 503
        assert await status_of(p, run) is Status.PROCESSING, "the next server finds it"
        p.dispatcher.script = says(status=Status.FAILED, error=INTERRUPTED)
        with pytest.raises(InternalServerError) as interrupted:
            await client.chat.completions.create(model="alice/sketch", messages=SAID)
        assert interrupted.value.status_code == 503, "what was interrupted may be tried again"
        p.dispatcher.draining = True
        with pytest.raises(InternalServerError) as refused:
            await client.chat.completions.create(model="alice/sketch", messages=SAID)
        assert refused.value.status_code == 503


@story
async def test_a_failure_before_the_first_piece_has_a_status(p: Platform) -> None:
    """After it, the stream itself tells."""
    async with asking(p) as client:
        p.dispatcher.script = says(status=Status.FAILED, error="no weights")
        with pytest.raises(InternalServerError, match="no weights"):
            await client.chat.completions.create(model="alice/sketch", messages=SAID, stream=True)
        p.dispatcher.script = says("Once", status=Status.FAILED, error="no words")
        stream = await client.chat.completions.create(model="alice/sketch", messages=SAID, stream=True)
        pieces: list[str | None] = []
        with pytest.raises(APIError, match="no words") as failed:
            async for chunk in stream:
                pieces.append(chunk.choices[0].delta.content)
        assert (pieces, failed.value.type) == (["", "Once"], "server_error")


@story
async def test_what_is_ready_is_one_write_and_each_piece_an_event(p: Platform) -> None:
    async with asking(p):
        runs = held(p)
        body = {"model": "alice/sketch", "messages": SAID, "stream": True}
        url = f"{p.base}/openai/v1/chat/completions"
        request = p.client.build_request("POST", url, json=body)
        sent = asyncio.create_task(p.client.send(request, stream=True))
        run = await runs.get()
        run.emit("Once", "", " upon\n", "a\u2028time")
        answer = await sent
        written = aiter(answer.aiter_raw())
        events = (await anext(written)).split(b"\n\n")
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["x-request-id"] == run.prediction.id
        assert len(events) == 6, "the role, four pieces, and what follows the last"
        assert all(event.startswith(b"data: {") for event in events[:-1])
        assert b'"content":"a\\u2028time"' in events[4], "no end of a line for anybody"
        await run.end()
        run.stopped.set()
        rest = b"".join([part async for part in written])
        assert rest.endswith(b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        await answer.aclose()


@story_with(rate_limit_create_per_minute=3)
async def test_each_prediction_counts(p: Platform) -> None:
    async with asking(p) as client:
        p.dispatcher.script = says("Hi")
        raw = await client.chat.completions.with_raw_response.create(model="alice/sketch", messages=SAID)
        assert raw.headers["ratelimit-remaining"] == "2"
        with pytest.raises(RateLimitError):
            await client.chat.completions.create(model="alice/sketch", messages=SAID, n=3)
        assert len(p.dispatcher.submitted) == 1, "all or none"
        with pytest.raises(RateLimitError) as refused:
            await client.chat.completions.create(model="alice/sketch", messages=SAID)
        assert (refused.value.code, refused.value.type) == ("rate_limit_exceeded", "requests")
        assert int(refused.value.response.headers["retry-after"]) > 0
        await client.models.list()


@story
async def test_several_answers_count_their_seeds_on(p: Platform) -> None:
    async with asking(p) as client:
        p.dispatcher.script = says("Hi")
        await client.chat.completions.create(model="alice/sketch", messages=SAID, n=2, seed=7)
        assert [bytes(made.input) for made in p.dispatcher.submitted] == [
            b'{"prompt":"Hi","seed":7}',
            b'{"prompt":"Hi","seed":8}',
        ]
