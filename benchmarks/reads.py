"""What reads cost with few and with many stored predictions: one prediction, and pages of the list.

    python -m benchmarks.reads [--rows 1000 1000000] [--rounds 5] [--calls 400] [--callers 16]

One server for each number of rows, all up at once and asked in turns, so that whatever else the machine
does falls on all of them. One caller asks for one thing after the other; then several at once for one
prediction each, so that the server has no time to fall asleep. Of ten predictions one is of a version that
is gone. Prints medians of the rounds and the ratio to the first; asserts nothing. Filling a million rows
takes some minutes and a gigabyte under ``benchmarks/build``.
"""

import argparse
import asyncio
import http.client
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from benchmarks import client, process_tree
from benchmarks.client import BUILD
from benchmarks.contenders import HEADERS, pid
from benchmarks.store import ending, fresh
from stoker.api.resources.predictions import PAGE
from stoker.api.wire import time_text
from stoker.core.catalog import Model, Recipe, Version
from stoker.core.prediction import Prediction, finished
from stoker.store.sqlite import SqliteStore
from tests.servers import StokerServer

TARGET_MS = 1.0
"""CPU of one GET of a prediction; a page of a hundred has no target but to be flat."""
AT_ONCE = 5_000
GONE_EVERY = 10
"""One in so many predictions is of a version that is gone, as imported history is."""
GONE = "b" * 64
SCHEMAS = {"Output": {"type": "array", "items": {"type": "string"}, "x-cog-array-type": "iterator"}}

ALONE, GONE_ALONE, TOGETHER = "one prediction", "one, version gone", "one, {} callers"


class Stored(msgspec.Struct, frozen=True):
    """What a filled database holds."""

    ids: list[str]
    """A sample over the whole range."""
    gone: list[str]
    """One of those whose version is gone."""
    middle: str
    """When the one in the middle was made."""
    early: str
    """When some were made already that are more than a page, and few of all."""


async def fill(data: Path, rows: int) -> Stored:
    """Stores finished predictions in a data directory that no server has open."""
    store = await SqliteStore.open(data)
    await _make_version(store, fresh(running=True))
    made: list[tuple[str, int]] = []
    for start in range(0, rows, AT_ONCE):
        batch = [_over(number) for number in range(start, min(start + AT_ONCE, rows))]
        await asyncio.gather(*(store.predictions.accept(one, synced=False) for one in batch))
        made += [(one.id, one.created_us) for one in batch]
    await store.close()
    gone, there = made[::GONE_EVERY], [one for n, one in enumerate(made) if n % GONE_EVERY]
    middle, early = time_text(made[rows // 2][1]), time_text(made[min(PAGE + PAGE // 2, rows - 1)][1])
    return Stored(_sample(there), _sample(gone), middle, early)


async def _make_version(store: SqliteStore, like: Prediction) -> None:
    owner, name = like.model.split("/")
    await store.models.create(Model(owner=owner, account=like.account, name=name, created_us=like.created_us))
    version = Version(
        id=like.version,
        model=like.model,
        created_us=like.created_us,
        cog_version="0.23.1",
        openapi_schema={"components": {"schemas": SCHEMAS}},
        recipe=Recipe(environment="none"),
        source=(),
    )
    await store.versions.create(version)


def _over(number: int) -> Prediction:
    over = finished(fresh(running=True), ending())
    return over if number % GONE_EVERY else msgspec.structs.replace(over, version=GONE)


def _sample(made: list[tuple[str, int]]) -> list[str]:
    return [id for id, _ in random.Random(len(made)).sample(made, min(1000, len(made)))]


class Filled:
    """A running server with so many predictions, and the paths that are asked for."""

    def __init__(self, server: StokerServer, stored: Stored, *, rows: int, callers: int):
        self.rows = rows
        self._pid = pid(server)
        self._port = server.port
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._callers = callers
        ones = [f"/v1/predictions/{id}" for id in stored.ids]
        self.paths = {
            ALONE: ones,
            TOGETHER: ones,
            GONE_ALONE: [f"/v1/predictions/{id}" for id in stored.gone],
            "first page": ["/v1/predictions"],
            "page in the middle": [f"/v1/predictions?created_before={stored.middle}"],
            "page near the end": [f"/v1/predictions?created_before={stored.early}"],
        }

    def ask(self, what: str, calls: int) -> tuple[float, float]:
        """CPU of the server, and time of the caller, in milliseconds a call."""
        calls *= self._callers if what == TOGETHER else 1
        call = self._call_together if what == TOGETHER else self._call
        cpu_s = process_tree.cpu_s(self._pid)
        took_ms = call(self.paths[what], calls)
        return (process_tree.cpu_s(self._pid) - cpu_s) / calls * 1e3, took_ms

    def _call(self, paths: list[str], calls: int) -> float:
        """One call after the other: their mean time."""
        began_s = time.perf_counter()
        for number in range(calls):
            path = paths[number % len(paths)]
            self._connection.request("GET", path, headers=HEADERS)
            answer = self._connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return (time.perf_counter() - began_s) / calls * 1e3

    def _call_together(self, paths: list[str], calls: int) -> float:
        """Several callers at once: their median time."""
        target = client.Target(self._port, paths[0], headers=HEADERS, more_paths=tuple(paths[1:]))
        load = client.run_well(target, callers=self._callers, count=calls, mode="get")
        assert load.latency_us is not None
        return load.latency_us.p50 / 1e3


@contextmanager
def filled(rows: int, callers: int) -> Iterator[Filled]:
    """A server with so many stored predictions, until the block ends. The first start makes its account."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reads-", dir=BUILD) as folder:
        server = StokerServer(Path(folder) / "data")
        server.start()
        server.stop()
        stored = asyncio.run(fill(Path(folder) / "data", rows))
        try:
            yield Filled(server.start(), stored, rows=rows, callers=callers)
        finally:
            server.stop()


def report(what: str, servers: list[Filled], samples: dict[int, list[tuple[float, float]]]) -> None:
    """A line for each number of rows: medians, and how much more than with the fewest."""
    first_ms = 0.0
    for server in servers:
        cpu_ms = statistics.median(cpu for cpu, _ in samples[server.rows])
        took_ms = statistics.median(took for _, took in samples[server.rows])
        first_ms = first_ms or cpu_ms
        goal = "" if "page" in what else "  reached" if cpu_ms < TARGET_MS else "  MISSED"
        print(
            f"{what:19} of {server.rows:9,} rows  {cpu_ms:6.2f} ms CPU  {took_ms:6.2f} ms"
            f"  {cpu_ms / first_ms:5.2f}x{goal}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--callers", type=int, default=16)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        servers = [stack.enter_context(filled(rows, arguments.callers)) for rows in arguments.rows]
        for what in servers[0].paths:
            calls = max(arguments.calls // 4, 1) if "page" in what else arguments.calls
            samples: dict[int, list[tuple[float, float]]] = {server.rows: [] for server in servers}
            for number in range(arguments.rounds + 1):
                for server in servers if number % 2 == 0 else reversed(servers):
                    asked = server.ask(what, calls)
                    if number:  # the first round warms caches up
                        samples[server.rows].append(asked)
            report(what.format(arguments.callers), servers, samples)


if __name__ == "__main__":
    main()
