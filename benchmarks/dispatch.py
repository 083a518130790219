"""What dispatch costs a prediction while few and while many wait, and what a look at the clock costs.

    python -m benchmarks.dispatch [--waiting 10 1000 100000] [--rounds 7] [--cycles 40]

At last the whole line ends, because the model cannot be started: how long that takes, and the CPU of the
longest turn of the loop meanwhile, for which a request may have to wait.

The real dispatcher, fleet and SQLite store; instances that answer at once, so that all that is measured is
ours. One process for each length of the line, all up at once and asked in turns, so that whatever else the
machine does falls on all of them. Prints medians of the rounds and the ratio to the first; asserts nothing.
"""

import argparse
import asyncio
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from benchmarks.client import BUILD
from stoker.core.catalog import Version
from stoker.core.hosting import pool_of
from stoker.core.settings import Settings
from stoker.main.garbage import settle
from stoker.runtime.live import Live
from stoker.store.sqlite import SqliteStore
from tests.runtime.stage import FakeClock, ScriptedInstance, Stage

ACCOUNTS = [f"account{number}" for number in range(5)]
IN_A_CYCLE = 3
"""So many are handed over, and as many cancelled; all of them are taken first: the line keeps its length."""
TICKS = 20
TICK_S = 0.5
AT_ONCE = 1_000
APART_S = 0.0002
"""Between two that are taken, by their clock: ids begin with the time, and so the indexes have its order."""
A_DAY_S = 86400

TAKEN, HANDED_OVER, CANCELLED, TICK = "taken", "handed over", "cancelled", "a tick"
MEASURED = (TAKEN, HANDED_OVER, CANCELLED, TICK)

MOST_RATIO = 1.5
"""Of a prediction, as against the shortest line: the store's indexes grow with it, and nothing else."""
MOST_TICK_US = 5_000.0
"""A hundredth of the time between two ticks."""

MOST_TURN_S = 0.05
"""Of the loop's CPU, while the whole line ends."""

Sample = dict[str, float]
"""CPU in microseconds by what was done."""


class Ending(NamedTuple):
    """Of a whole line."""

    took_s: float
    longest_turn_s: float


class Line:
    """A dispatcher with so many in one line, and one busy instance."""

    def __init__(self, stage: Stage, version: Version, instance: ScriptedInstance):
        self._stage = stage
        self._version = version
        self._instance = instance
        self._waiting: list[str] = []
        self._places: dict[str, int] = {}

    @classmethod
    async def form(cls, stage: Stage, waiting: int) -> "Line":
        """So many wait, from several accounts; half as many have run, and those left were told why."""
        version = await stage.version()
        await stage.submit(version)
        line = cls(stage, version, await stage.instance())
        for start in range(0, waiting, AT_ONCE):
            await line.take(min(AT_ONCE, waiting - start))
        for start in range(0, waiting, AT_ONCE):
            count = min(AT_ONCE, waiting - start)
            await line.take(count // 2)
            await line.hand_over(count // 2)
        for _ in range(waiting // 250 + 100):
            stage.step(TICK_S)
        return line

    async def measure(self, cycles: int) -> Sample:
        """CPU of each kind, for one prediction or one tick."""
        spent = dict.fromkeys(MEASURED, 0.0)
        for _ in range(cycles):
            spent[TAKEN] += await cpu_us(lambda: self.take(2 * IN_A_CYCLE)) / (2 * IN_A_CYCLE)
            spent[HANDED_OVER] += await cpu_us(lambda: self.hand_over(IN_A_CYCLE)) / IN_A_CYCLE
            spent[CANCELLED] += await cpu_us(lambda: self.cancel(IN_A_CYCLE)) / IN_A_CYCLE
        ticks = await cpu_us(self.tick)
        return {what: us / cycles for what, us in spent.items()} | {TICK: ticks / TICKS}

    async def fail(self) -> Ending:
        """All that wait, as when the model cannot be started; until the ends are on disk."""
        dispatcher = self._stage.dispatcher
        over: set[str] = set()
        for id in self._waiting:
            live = dispatcher.live(id)
            assert live is not None
            live.subscribe(partial(over.add, id))
        began_s, last_s, longest_s = time.perf_counter(), time.thread_time(), 0.0
        dispatcher.start_failed(pool_of(self._version), "Model setup failed (E9243)", "")
        while len(over) < len(self._waiting):
            await asyncio.sleep(0)
            now_s = time.thread_time()
            longest_s, last_s = max(longest_s, now_s - last_s), now_s
        return Ending(time.perf_counter() - began_s, longest_s)

    async def take(self, count: int) -> None:
        """New ones, until they are on disk. Each has a deadline that is far away."""
        deadline_us = self._stage.clock.now_us() + A_DAY_S * 1_000_000
        lives = [self._submit(account, deadline_us) for account in random.choices(ACCOUNTS, k=count)]
        await asyncio.gather(*(live.accepted for live in lives))

    async def hand_over(self, count: int) -> None:
        """What runs ends and the next in line has the slot, so many times; until the ends are on disk."""
        ending: list[Live] = []
        for _ in range(count):
            run = self._instance.runs.pop()
            live = self._stage.dispatcher.live(run.prediction)
            assert live is not None
            ending.append(live)
            self._instance.succeed(run.number)
            self._forget(self._instance.runs[-1].prediction)
        await asyncio.gather(*(live.wait_over() for live in ending))

    async def cancel(self, count: int) -> None:
        """So many from anywhere in the line, until that is on disk."""
        ids = random.sample(self._waiting, count)
        await asyncio.gather(*map(self._stage.dispatcher.cancel, ids))
        for id in ids:
            self._forget(id)

    async def tick(self) -> None:
        """The regular duties look at the clock."""
        for _ in range(TICKS):
            self._stage.step(TICK_S)

    def _submit(self, account: str, deadline_us: int) -> Live:
        self._stage.clock.advance(APART_S)
        prediction = self._stage.prediction(self._version, account=account, deadline_us=deadline_us)
        self._places[prediction.id] = len(self._waiting)
        self._waiting.append(prediction.id)
        return self._stage.dispatcher.submit(prediction, self._version)

    def _forget(self, id: str) -> None:
        place, last = self._places.pop(id), self._waiting.pop()
        if last != id:
            self._waiting[place] = last
            self._places[last] = place


async def cpu_us(act: Callable[[], Awaitable[None]]) -> float:
    """What this process takes of the CPU meanwhile, the store's thread included."""
    began_s = time.process_time()
    await act()
    return (time.process_time() - began_s) * 1e6


def serve(data: Path, waiting: int, asked: Connection) -> None:
    """In a process of its own: forms the line, then measures whenever it is asked to."""

    async def run() -> None:
        store = await SqliteStore.open(data)
        stage = Stage(store, Settings(data_dir=data, max_instances=1, queue_limit_per_account=0), FakeClock())
        settle()  # as the server does
        line = await Line.form(stage, waiting)
        asked.send(None)
        while cycles := asked.recv():
            asked.send(await line.measure(cycles))
        asked.send(await line.fail())
        await stage.fleet.close()
        await stage.outbound.close()
        await store.close()

    asyncio.run(run())


@contextmanager
def formed(waiting: int) -> Iterator[Connection]:
    """A line of that length, which measures so many cycles for whoever sends their number."""
    BUILD.mkdir(exist_ok=True)
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory(prefix="dispatch-", dir=BUILD) as folder:
        process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(Path(folder), waiting, theirs), daemon=True
        )
        process.start()
        theirs.close()
        try:
            ours.recv()
            yield ours
        finally:
            process.join(60)


def report(samples: dict[int, list[Sample]]) -> None:
    """A line for each length: medians, and how much more than with the shortest."""
    first: Sample = {}
    for waiting, measured in samples.items():
        medians = {what: statistics.median(one[what] for one in measured) for what in MEASURED}
        first = first or medians
        for what, us in medians.items():
            ratio = us / first[what]
            reached = us < MOST_TICK_US if what == TICK else ratio < MOST_RATIO
            goal = "reached" if reached else "MISSED"
            print(f"{waiting:7,} waiting  {what:11} {us:8.0f} us CPU  {ratio:7.2f}x  {goal}")


def report_endings(lines: dict[int, Connection]) -> None:
    """One line after the other: each has the machine to itself."""
    for waiting, line in lines.items():
        line.send(0)
        took_s, longest_turn_s = line.recv()
        goal = "reached" if longest_turn_s < MOST_TURN_S else "MISSED"
        longest = f"longest turn {longest_turn_s * 1e3:.1f} ms"
        print(f"{waiting:7,} waiting  all fail in {took_s:.2f} s, {longest}  {goal}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--waiting", type=int, nargs="+", default=[10, 1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cycles", type=int, default=40)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        lines = {waiting: stack.enter_context(formed(waiting)) for waiting in arguments.waiting}
        samples: dict[int, list[Sample]] = {waiting: [] for waiting in lines}
        for number in range(arguments.rounds + 1):
            for waiting, line in list(lines.items())[:: 1 if number % 2 else -1]:
                line.send(arguments.cycles)
                measured: Sample = line.recv()
                if number:  # the first round warms caches up
                    samples[waiting].append(measured)
        report(samples)
        report_endings(lines)


if __name__ == "__main__":
    main()
