"""Prints what a cold boot takes, from the request for an instance to its first output, plainly and forked.

    python -m benchmarks.boots [--rounds 7] [--python .venv/models/bin/python]

Two engines take turns with the same model, so that whatever else the machine does falls on both; one has no
fork servers. The first round only makes the other's, and does not count. Asserts nothing.
"""

import argparse
import asyncio
import itertools
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from stoker.engines.process import ProcessEngine
from tests.worker.workbench import Recorder, Started, Workbench, told_by_log

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".venv/models/bin/python"
STAGES = ("process", "imports", "setup", "first run", "all")


class Timed(Recorder):
    """Notes when each stage was reached."""

    def __init__(self) -> None:
        super().__init__()
        self.moments = [time.monotonic()]

    def reached(self, stage: str) -> None:
        super().reached(stage)
        self.moments.append(time.monotonic())

    def ready(self, *, slots: int) -> None:
        super().ready(slots=slots)
        self.moments.append(time.monotonic())


async def boot(
    bench: Workbench, engine: ProcessEngine, number: int, *, weights: Path
) -> tuple[str, list[float]]:
    """One instance from its beginning to its first output: how it began, and the seconds of each stage."""
    told = Timed()
    spec = bench.spec(
        "predict.py:Predictor", source=HERE, id=f"boot{number}", python=bench.python, checkpoint=weights
    )
    started = Started(await engine.start(spec, told), told)
    await told.until_ready()
    await started.succeed()
    moments = [*told.moments, time.monotonic()]
    await started.instance.stop(1)
    took = [after - before for before, after in itertools.pairwise(moments)]
    return started.instance.began, [*took, sum(took)]


async def measure(python: Path, folder: Path, rounds: int) -> dict[str, list[list[float]]]:
    bench, weights = Workbench(folder), folder / "weights"
    bench.python = python
    plainly, forking = bench.make_engine(fork_servers=0), bench.make_engine()
    found: dict[str, list[list[float]]] = {"plain": [], "forked": []}
    with told_by_log("stoker.engines.forking") as heard:
        await boot(bench, forking, 0, weights=weights)
        while not forking.forks.ready and not forking.forks.refused:
            await heard.wait()
            heard.clear()
    for number in range(1, 2 * rounds, 2):
        for engine in (plainly, forking):
            began, took = await boot(bench, engine, number + (engine is forking), weights=weights)
            found[began].append(took)
    await bench.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boots")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--python", type=Path, default=PYTHON)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make = [options.python, HERE / "weights.py", Path(folder) / "weights"]
        subprocess.run(make, check=True, stderr=subprocess.DEVNULL)
        found = asyncio.run(measure(options.python, Path(folder), options.rounds))
    print("| | plain | forked |\n|---|---|---|")
    for place, stage in enumerate(STAGES):
        plain, forked = (statistics.median(took[place] for took in found[way]) for way in ("plain", "forked"))
        print(f"| {stage} | {plain:.2f} s | {forked:.2f} s |")
    print(f"\nForked is {plain / forked:.0f} times as fast.")
    fastest = [min(took[-1] for took in found[way]) for way in ("plain", "forked")]
    print(f"Fastest of each: {fastest[0]:.2f} s and {fastest[1]:.2f} s, {fastest[0] / fastest[1]:.0f} times.")


if __name__ == "__main__":
    main()
