"""The benchmark's load client reads every kind of HTTP answer, however it is cut into pieces."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks import client

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

Write = Callable[[bytes], Awaitable[None]]
Answer = Callable[[str, bytes, Write], Awaitable[bool]]
"""Gets path, body and a writer; gives whether the connection stays."""

JSON = b'{"status":"succeeded","output":"x"}'


def counted(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(*parts: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts)
    return head + chunks + b"0\r\nTrailer: yes\r\n\r\n"


def event(name: str, data: str = "{}") -> bytes:
    return f"event: {name}\nid: 1:1\ndata: {data}\n\n".encode()


@asynccontextmanager
async def serving(answer: Answer, *, dribble: bool = False):
    """A server on loopback that answers as told, byte by byte where it dribbles; gives its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def write(data: bytes) -> None:
            for piece in [bytes([byte]) for byte in data] if dribble else [data]:
                writer.write(piece)
                await writer.drain()

        try:
            stays = True
            while stays:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                length = [int(line.split(":")[1]) for line in lines if line.startswith("Content-Length")]
                body = await reader.readexactly(length[0]) if length else b""
                stays = await answer(lines[0].split()[1], body, write)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def load(answer: Answer, *, dribble: bool = False, expect: str | None = None, **how) -> client.Load:
    async def scenario() -> client.Load:
        async with serving(answer, dribble=dribble) as port:
            target = client.Target(port, "/predictions", {"input": {}}, {"X-One": "1"}, expect)
            return await asyncio.to_thread(client.run, target, seconds=20, **how)

    return asyncio.run(scenario())


def always(data: bytes, *, stays: bool = True) -> Answer:
    async def answer(path: str, body: bytes, write: Write) -> bool:
        assert json.loads(body) == {"input": {}}
        await write(data)
        return stays

    return answer


@pytest.mark.parametrize("dribble", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        counted(JSON),
        chunked(JSON[:7], JSON[7:8], JSON[8:]),
        b"HTTP/1.1 100 Continue\r\n\r\n" + counted(JSON),
    ],
    ids=["counted", "chunked", "continued"],
)
def test_answers_on_a_kept_connection(data: bytes, dribble: bool):
    result = load(always(data), callers=3, count=20, expect='"succeeded"', dribble=dribble)
    assert (result.ok, result.failed, result.reconnects) == (20, 0, 0)
    assert result.bytes == 20 * len(JSON)
    assert result.latency_us is not None
    assert result.latency_us.min <= result.latency_us.p50 <= result.latency_us.p99 <= result.latency_us.max


@pytest.mark.parametrize(
    "data",
    [counted(JSON, headers="Connection: close\r\n"), b"HTTP/1.1 200 OK\r\n\r\n" + JSON],
    ids=["announced", "until close"],
)
def test_a_server_that_closes_after_each_answer(data: bytes):
    result = load(always(data, stays=False), callers=2, count=10, expect='"succeeded"')
    assert (result.ok, result.failed) == (10, 0)


def test_failures_are_counted_and_the_first_is_told():
    result = load(always(counted(b'{"detail":"no"}', status="422 Unprocessable")), count=3)
    assert (result.ok, result.failed) == (0, 3)
    assert "status 422" in result.failure
    assert '"no"' in result.failure
    result = load(always(counted(b'{"status":"failed"}')), count=2, expect='"succeeded"')
    assert (result.ok, result.failed) == (0, 2)


def test_an_answer_that_breaks_off_is_a_failure():
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    assert load(always(data, stays=False), count=2).failed == 2


def test_a_busy_server_is_asked_again():
    asked = 0

    async def answer(path: str, body: bytes, write: Write) -> bool:
        nonlocal asked
        asked += 1
        await write(counted(b"{}", status="409 Conflict") if asked % 2 else counted(JSON))
        return True

    result = load(answer, count=5)
    assert (result.ok, result.busy, result.failed) == (5, 5, 0)


def test_the_url_of_a_file_output_is_fetched():
    picture = bytes(range(256)) * 4000

    async def answer(path: str, body: bytes, write: Write) -> bool:
        url = b'{"output":"http://host:1/delivery/a%20b","status":"succeeded"}'
        await write(counted(url if path == "/predictions" else picture))
        assert path in ("/predictions", "/delivery/a%20b")
        return True

    result = load(answer, callers=2, count=6, mode="fetch")
    assert (result.ok, result.failed) == (6, 0)
    assert result.bytes > 6 * len(picture)


def test_gets_take_turns_among_paths():
    asked: list[str] = []

    async def answer(path: str, body: bytes, write: Write) -> bool:
        asked.append(path)
        assert body == b""
        await write(counted(JSON))
        return True

    async def scenario() -> client.Load:
        async with serving(answer) as port:
            target = client.Target(port, "/a", more_paths=("/b", "/c?d=e"))
            return await asyncio.to_thread(client.run, target, callers=2, count=6, seconds=20, mode="get")

    result = asyncio.run(scenario())
    assert (result.ok, result.failed) == (6, 0)
    assert sorted(asked) == ["/a", "/a", "/b", "/b", "/c?d=e", "/c?d=e"]


@pytest.mark.parametrize("dribble", [False, True])
def test_events_of_a_streamed_answer(dribble: bool):
    events = [b": hi\n\n", *(event("output", f"token {n}") for n in range(5)), event("completed")]
    data = chunked(*events, kind="text/event-stream")
    result = load(always(data), callers=2, count=4, mode="events", events=5, dribble=dribble)
    assert (result.ok, result.failed, result.events) == (4, 0, 20)
    assert result.first_us is not None
    assert result.latency_us is not None
    assert result.first_us.max <= result.latency_us.max


def test_a_stream_of_a_created_prediction():
    async def answer(path: str, body: bytes, write: Write) -> bool:
        if path == "/predictions":
            await write(counted(b'{"urls": {"stream": "http://host:1/v1/streams/k"}}', status="201 Created"))
            return True
        assert path == "/v1/streams/k"
        events = event("output", "a") + event("output", "b") + event("done")
        await write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + events)
        return False

    result = load(answer, callers=2, count=4, mode="stream", events=2)
    assert (result.ok, result.failed, result.events) == (4, 0, 8)


@pytest.mark.parametrize(
    "events",
    [
        [event("output"), event("done")],
        [event("output"), event("output"), event("error"), event("done")],
        [event("output"), event("output")],
    ],
    ids=["too few", "error", "broken off"],
)
def test_a_stream_that_is_not_whole_is_a_failure(events: list[bytes]):
    data = chunked(*events, kind="text/event-stream")
    assert load(always(data), count=1, mode="events", events=2).failed == 1


def test_a_run_is_bounded_in_time():
    async def answer(path: str, body: bytes, write: Write) -> bool:
        await asyncio.Event().wait()
        return False

    async def scenario() -> client.Load:
        async with serving(answer) as port:
            target = client.Target(port, "/", {})
            return await asyncio.to_thread(client.run, target, callers=2, count=10, seconds=0.3)

    result = asyncio.run(scenario())
    assert (result.ok, result.unfinished) == (0, 2)
