"""What the store costs: durable cycles a second and CPU a cycle, and lists of a million predictions.

    python -m benchmarks.store [--callers 64] [--cycles 20000] [--rows 1000000]

Prints figures; asserts nothing. A cycle is accept, start, finish; the hot path is accept (running at once),
finish.
"""

import argparse
import asyncio
import json
import secrets
import tempfile
import time
from pathlib import Path

import msgspec
import uvloop

from stoker.core import ids
from stoker.core.catalog import Model
from stoker.core.prediction import Ending, Prediction, Status
from stoker.ports.store import Cursor
from stoker.store.sqlite import SqliteStore

INPUT = msgspec.Raw(json.dumps({"prompt": "a" * 200}).encode())
OUTPUT = msgspec.Raw(json.dumps("b" * 300).encode())
METRICS = msgspec.Raw(b'{"predict_time":0.1,"total_time":0.2}')


def fresh(*, running: bool) -> Prediction:
    now_us = time.time_ns() // 1000
    random = secrets.token_bytes(42)
    return Prediction(
        id=ids.prediction_id(now_us, random),
        account="local",
        model="local/model",
        version="a" * 64,
        created_us=now_us,
        stream_key=ids.opaque_key(random[10:]),
        input=INPUT,
        status=Status.PROCESSING if running else Status.STARTING,
        started_us=now_us if running else None,
    )


def ending() -> Ending:
    now_us = time.time_ns() // 1000
    return Ending(
        status=Status.SUCCEEDED, completed_us=now_us, output=OUTPUT, logs="a line of log\n", metrics=METRICS
    )


async def call(store: SqliteStore, cycles: int, *, running: bool, synced: bool) -> None:
    for _ in range(cycles):
        prediction = fresh(running=running)
        await store.predictions.accept(prediction, synced=synced)
        if not running:
            await store.predictions.start(prediction.id, time.time_ns() // 1000, synced=synced)
        await store.predictions.finish(prediction.id, ending(), synced=synced)


async def measure_cycles(
    store: SqliteStore, callers: int, cycles: int, *, running: bool, synced: bool = True
) -> str:
    each = cycles // callers
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(call(store, each, running=running, synced=synced) for _ in range(callers)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done = each * callers
    name = ("accept, finish" if running else "accept, start, finish") + ("" if synced else ", unsynced")
    return f"{name:24} {callers:4} callers {done / wall:8.0f} a second {cpu / done * 1e6:6.0f} us CPU each"


def measure_making() -> str:
    cpu = time.process_time()
    for _ in range(5000):
        fresh(running=True)
        ending()
    return f"of which the benchmark makes values for {(time.process_time() - cpu) / 5000 * 1e6:.0f} us"


async def measure_lists(store: SqliteStore, rows: int) -> None:
    """Fills up, then reads pages at the start, in the middle and at the end."""
    for start in range(0, rows, 20_000):
        await asyncio.gather(
            *(store.predictions.accept(fresh(running=True)) for _ in range(min(20_000, rows - start)))
        )
    first = await store.predictions.page("local")
    last = await store.predictions.page("local", cursor=Cursor(0, "", reverse=True))
    oldest, newest = last.items[0].created_us, first.items[0].created_us
    for name, at in [("start", newest), ("middle", (oldest + newest) // 2), ("end", oldest)]:
        began = time.perf_counter()
        for _ in range(20):
            await store.predictions.page("local", cursor=Cursor(at, "~"))
        print(
            f"page of 100 at the {name:7} of {rows} rows {(time.perf_counter() - began) / 20 * 1e3:6.2f} ms"
        )
    began = time.perf_counter()
    for _ in range(200):
        await store.predictions.get(first.items[0].id)
    print(f"get one of {rows} rows {(time.perf_counter() - began) / 200 * 1e6:6.0f} us")


async def run(arguments: argparse.Namespace) -> None:
    print(measure_making())
    with tempfile.TemporaryDirectory(dir=arguments.dir) as folder:
        store = await SqliteStore.open(Path(folder))
        await store.models.create(Model(owner="local", account="local", name="model", created_us=1))
        for callers in arguments.callers:
            for running, synced in ((False, True), (True, True), (True, False)):
                cycles = arguments.cycles
                print(await measure_cycles(store, callers, cycles, running=running, synced=synced))
        if arguments.rows:
            await measure_lists(store, arguments.rows)
        await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--cycles", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--dir", help="where the database lies while this runs")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
