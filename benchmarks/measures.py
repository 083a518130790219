"""What is measured, one function each: it puts samples of both sides, in turns, into the sheet.

Called by ``benchmarks.run``. In every round each side has its turn right after the other, and the order
changes from round to round, so that whatever else the machine does falls on both.
"""

import http.client
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from benchmarks import process_tree
from benchmarks.client import Times
from benchmarks.contenders import HEADERS, MODELS, Arena, Contender, Measured, pid, stoker
from benchmarks.figures import Sheet, Side, Target
from tests.differential.cog_server import CogServer
from tests.servers import StokerServer

MEGABYTE = 1 << 20


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How much to measure."""

    rounds: int
    calls: int
    """Calls of one load."""
    tokens: int
    """Tokens of one stream."""
    cold_starts: int


FULL = Effort(rounds=5, calls=4000, tokens=400, cold_starts=7)
QUICK = Effort(rounds=2, calls=600, tokens=100, cold_starts=3)


def _turns(rounds: int, both: tuple[Contender, Contender]) -> Iterator[Contender]:
    for number in range(rounds):
        yield from both if number % 2 == 0 else reversed(both)


def _times(times: Times | None) -> Times:
    if times is None:
        raise ValueError("the load has no times")
    return times


def blocking_latency(arena: Arena, sheet: Sheet, effort: Effort) -> None:
    """One caller, a synchronous model that does nothing."""
    sheet.define("blocking, 1 caller, p50", "ms", "less", target=Target(times_better=1))
    sheet.define("blocking, 1 caller, p99", "ms", "less")
    sheet.define("blocking, 1 caller, CPU per 1,000", "s", "less", target=Target(at_most=0.4))
    with arena.both("empty") as both:
        for side in both:
            side.call({"text": "hello"}, count=effort.calls // 10)
        for side in _turns(effort.rounds, both):
            measured = side.call({"text": "hello"}, count=effort.calls)
            latency = _times(measured.load.latency_us)
            sheet.add("blocking, 1 caller, p50", side.name, latency.p50 / 1000)
            sheet.add("blocking, 1 caller, p99", side.name, latency.p99 / 1000)
            sheet.add("blocking, 1 caller, CPU per 1,000", side.name, measured.cpu_s_per_1000)


def throughput(arena: Arena, sheet: Sheet, effort: Effort) -> None:
    """Many callers, an asynchronous model with a slot for each."""
    with arena.both("concurrent_echo") as both:
        for side in both:
            side.call({"text": "hello"}, callers=16, count=effort.calls // 4)
        for callers in (16, 64, 256):
            target = Target(at_least=2500, times_better=2) if callers == 64 else None
            cpu = Target(at_most=0.4) if callers == 64 else None
            sheet.define(f"blocking, {callers} callers", "calls/s", "more", target=target)
            sheet.define(f"blocking, {callers} callers, p50", "ms", "less")
            sheet.define(f"blocking, {callers} callers, p99", "ms", "less")
            sheet.define(f"blocking, {callers} callers, CPU per 1,000", "s", "less", target=cpu)
            for side in _turns(effort.rounds, both):
                measured = side.call({"text": "hello"}, callers=callers, count=effort.calls * 2)
                _add_throughput(sheet, callers, side.name, measured)


def _add_throughput(sheet: Sheet, callers: int, side: Side, measured: Measured) -> None:
    latency = _times(measured.load.latency_us)
    sheet.add(f"blocking, {callers} callers", side, measured.load.rate)
    sheet.add(f"blocking, {callers} callers, p50", side, latency.p50 / 1000)
    sheet.add(f"blocking, {callers} callers, p99", side, latency.p99 / 1000)
    sheet.add(f"blocking, {callers} callers, CPU per 1,000", side, measured.cpu_s_per_1000)


def streams(arena: Arena, sheet: Sheet, effort: Effort) -> None:
    """Streams of tokens as fast as the model gives them, and their first token."""
    with arena.both("token_stream") as both:
        for callers in (1, 16, 64):
            first = Target(at_most=30) if callers == 64 else None
            rate = Target(at_least=60_000) if callers == 64 else None
            sheet.define(f"{callers} streams, first token, p50", "ms", "less", target=first)
            sheet.define(f"{callers} streams, first token, p99", "ms", "less")
            sheet.define(f"{callers} streams", "tokens/s", "more", target=rate)
            for side in both:
                side.stream({"count": 10}, events=10, callers=callers, count=callers)
            for side in _turns(effort.rounds, both):
                count = max(callers * 4, 10)
                load = side.stream(
                    {"count": effort.tokens}, events=effort.tokens, callers=callers, count=count
                ).load
                times = _times(load.first_us)
                sheet.add(f"{callers} streams, first token, p50", side.name, times.p50 / 1000)
                sheet.add(f"{callers} streams, first token, p99", side.name, times.p99 / 1000)
                sheet.add(f"{callers} streams", side.name, load.event_rate)


def paced_streams(arena: Arena, sheet: Sheet, effort: Effort) -> None:
    """64 streams of a model that takes 20 ms a token, as language models do."""
    sheet.define("64 paced streams, first token, p50", "ms", "less", target=Target(at_most=30))
    sheet.define("64 paced streams, first token, p99", "ms", "less")
    sheet.define("64 paced streams, CPU per 1,000 tokens", "s", "less")
    with arena.both("token_stream") as both:
        for side in _turns(effort.rounds, both):
            measured = side.stream({"count": 50, "pause_s": 0.02}, events=50, callers=64, count=64)
            times = _times(measured.load.first_us)
            sheet.add("64 paced streams, first token, p50", side.name, times.p50 / 1000)
            sheet.add("64 paced streams, first token, p99", side.name, times.p99 / 1000)
            cpu_s = measured.cpu_s / measured.load.events * 1000
            sheet.add("64 paced streams, CPU per 1,000 tokens", side.name, cpu_s)


def picture(arena: Arena, sheet: Sheet, effort: Effort) -> None:
    """A file of a megabyte from the model to the caller."""
    sheet.define("picture of 1 MB out, p50", "ms", "less", target=Target(times_better=3))
    sheet.define("picture of 1 MB out, answer alone, p50", "ms", "less")
    sheet.define("picture of 1 MB out, CPU per 1,000", "s", "less")
    with arena.both("picture") as both:
        for side in both:
            side.download({"size_bytes": MEGABYTE}, count=5)
        for side in _turns(effort.rounds, both):
            count = max(effort.calls // 40, 20)
            measured = side.download({"size_bytes": MEGABYTE}, count=count)
            sheet.add("picture of 1 MB out, p50", side.name, _times(measured.load.latency_us).p50 / 1000)
            sheet.add("picture of 1 MB out, CPU per 1,000", side.name, measured.cpu_s_per_1000)
            answer = side.call({"size_bytes": MEGABYTE}, count=count).load
            sheet.add(
                "picture of 1 MB out, answer alone, p50", side.name, _times(answer.latency_us).p50 / 1000
            )


def cold_start(arena: Arena, sheet: Sheet, effort: Effort) -> None:
    """An empty model, its environment built, from no process at all to its first answer."""
    name = "cold start to first answer"
    sheet.define(name, "s", "less", target=Target(at_most=0.6))
    schema = arena.schema("empty")
    for number in range(effort.cold_starts):
        server = arena.stoker
        version = _fresh_version(server, number)
        path, body = "/v1/predictions", {"version": version, "input": {"text": "hello"}}
        sheet.add(name, "Stoker", _first_answer_s(server.port, path, body, headers=HEADERS))
        began = time.monotonic()
        with CogServer(MODELS / "empty", schema) as cog:
            _first_answer_s(cog.port, "/predictions", {"input": {"text": "hello"}}, headers={})
            sheet.add(name, "Cog", time.monotonic() - began)


def _fresh_version(server: StokerServer, number: int) -> str:
    """A version of the empty model that has never run; all of them share one environment."""
    with tempfile.TemporaryDirectory() as folder:
        model = shutil.copytree(MODELS / "empty", Path(folder) / "model")
        source = model / "run.py"
        source.write_text(source.read_text() + f"\n# version {number} {time.time_ns()}\n")
        return server.push(model, "local/cold")


def _first_answer_s(port: int, path: str, body: dict[str, object], *, headers: dict[str, str]) -> float:
    """Seconds from now until the prediction is answered well; asks again while the server is not there."""
    began = time.monotonic()
    headers = {"Content-Type": "application/json", "Prefer": "wait"} | headers
    while time.monotonic() - began < 60:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            if answer.status in (200, 201) and json.loads(answer.read())["status"] == "succeeded":
                return time.monotonic() - began
        except ConnectionError:
            pass
        finally:
            connection.close()
        time.sleep(0.005)
    raise TimeoutError("no answer within a minute")


def memory(arena: Arena, sheet: Sheet, effort: Effort) -> None:
    """What a server takes that has just started and does nothing."""
    sheet.define("memory at rest, server process", "MB", "less", target=Target(at_most=120))
    sheet.define("memory with one model, all processes", "MB", "less")
    sheet.define("start of the server", "s", "less")
    began = time.monotonic()
    with stoker() as server:
        sheet.add("start of the server", "Stoker", time.monotonic() - began)
        resident_bytes = process_tree.resident_bytes(pid(server))
        sheet.add("memory at rest, server process", "Stoker", resident_bytes / 1e6)
        fresh = Arena(server)
        with fresh.both("empty") as both:
            for side in both:
                side.call({"text": "hello"}, count=200)
                sheet.add(
                    "memory with one model, all processes",
                    side.name,
                    process_tree.proportional_bytes(side.pid) / 1e6,
                )
            sheet.add("memory at rest, server process", "Cog", process_tree.resident_bytes(both[0].pid) / 1e6)


MEASURES: dict[str, Callable[[Arena, Sheet, Effort], None]] = {
    "latency": blocking_latency,
    "throughput": throughput,
    "streams": streams,
    "paced": paced_streams,
    "picture": picture,
    "cold": cold_start,
    "memory": memory,
}
