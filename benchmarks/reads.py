"""What reads cost with few and with many stored predictions: one prediction, and pages of the list.

    python -m benchmarks.reads [--rows 1000 1000000] [--rounds 5] [--calls 400]

One server for each number of rows, all up at once and asked in turns, so that whatever else the machine does
falls on all of them. Prints medians of the rounds and the ratio to the first; asserts nothing. Filling a
million rows takes some minutes and a gigabyte under ``benchmarks/build``.
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

from benchmarks import process_tree
from benchmarks.client import BUILD
from benchmarks.contenders import HEADERS, pid
from benchmarks.store import ending, fresh
from stoker.api.wire import time_text
from stoker.core.prediction import finished
from stoker.store.sqlite import SqliteStore
from tests.servers import StokerServer

TARGET_MS = 1.0
"""CPU of one GET of a prediction; a page of a hundred has no target but to be flat."""
AT_ONCE = 5_000


class Stored(msgspec.Struct, frozen=True):
    """What a filled database holds."""

    ids: list[str]
    """A sample over the whole range."""
    oldest_us: int
    newest_us: int


async def fill(data: Path, rows: int) -> Stored:
    """Stores finished predictions in a data directory that no server has open."""
    store = await SqliteStore.open(data)
    made: list[tuple[str, int]] = []
    for start in range(0, rows, AT_ONCE):
        batch = [finished(fresh(running=True), ending()) for _ in range(min(AT_ONCE, rows - start))]
        await asyncio.gather(*(store.predictions.accept(one, synced=False) for one in batch))
        made += [(one.id, one.created_us) for one in batch]
    await store.close()
    sample = random.Random(rows).sample(made, min(1000, rows))
    return Stored([id for id, _ in sample], made[0][1], made[-1][1])


class Filled:
    """A running server with so many predictions, and the paths that are asked for."""

    def __init__(self, server: StokerServer, stored: Stored, rows: int):
        self.rows = rows
        self._pid = pid(server)
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        middle = time_text((stored.oldest_us + stored.newest_us) // 2)
        almost_all = time_text(stored.oldest_us + (stored.newest_us - stored.oldest_us) // 100 + 1000)
        self.paths = {
            "one prediction": [f"/v1/predictions/{id}" for id in stored.ids],
            "first page": ["/v1/predictions"],
            "page in the middle": [f"/v1/predictions?created_before={middle}"],
            "page near the end": [f"/v1/predictions?created_before={almost_all}"],
        }

    def ask(self, what: str, calls: int) -> tuple[float, float]:
        """CPU of the server, and time of the caller, in milliseconds a call."""
        paths = self.paths[what]
        cpu_s, began_s = process_tree.cpu_s(self._pid), time.perf_counter()
        for number in range(calls):
            self._connection.request("GET", paths[number % len(paths)], headers=HEADERS)
            answer = self._connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{what}: {answer.status} {body[:200]!r}")
        took_s = time.perf_counter() - began_s
        return (process_tree.cpu_s(self._pid) - cpu_s) / calls * 1e3, took_s / calls * 1e3


@contextmanager
def filled(rows: int) -> Iterator[Filled]:
    """A server with so many stored predictions, until the block ends. The first start makes its account."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reads-", dir=BUILD) as folder:
        server = StokerServer(Path(folder) / "data")
        server.start()
        server.stop()
        stored = asyncio.run(fill(Path(folder) / "data", rows))
        try:
            yield Filled(server.start(), stored, rows)
        finally:
            server.stop()


def report(what: str, servers: list[Filled], samples: dict[int, list[tuple[float, float]]]) -> None:
    """A line for each number of rows: medians, and how much more than with the fewest."""
    first_ms = 0.0
    for server in servers:
        cpu_ms = statistics.median(cpu for cpu, _ in samples[server.rows])
        took_ms = statistics.median(took for _, took in samples[server.rows])
        first_ms = first_ms or cpu_ms
        goal = "" if what != "one prediction" else "  reached" if cpu_ms < TARGET_MS else "  MISSED"
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
    arguments = parser.parse_args()
    with ExitStack() as stack:
        servers = [stack.enter_context(filled(rows)) for rows in arguments.rows]
        for what in servers[0].paths:
            calls = arguments.calls if what == "one prediction" else max(arguments.calls // 8, 1)
            samples: dict[int, list[tuple[float, float]]] = {server.rows: [] for server in servers}
            for number in range(arguments.rounds + 1):
                for server in servers if number % 2 == 0 else reversed(servers):
                    asked = server.ask(what, calls)
                    if number:  # the first round warms caches up
                        samples[server.rows].append(asked)
            report(what, servers, samples)


if __name__ == "__main__":
    main()
