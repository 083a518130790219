"""Prints how a soak went, and leaves its folder where something was found.

python -m tests.soak [--count 10000] [--models 20] [--seed 1]
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.soak.story import Order, Outcome, Soak

MOST_SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--count", type=int, default=10_000, help="how many predictions")
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    options = parser.parse_args()
    order = Order(count=options.count, models=options.models, seed=options.seed)
    print(f"{order.count} predictions over {order.models} models; again with --seed {order.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="stoker-soak-"))
    outcome = asyncio.run(Soak(order, folder, lambda line: print(line, flush=True)).run())
    show(outcome)
    if outcome.problems:
        print(f"The server's log and data are in {folder}.")
        return 1
    shutil.rmtree(folder)
    return 0


def show(outcome: Outcome) -> None:
    ends = Counter(told.final.get("status", "nothing") for told in outcome.told)
    errors = [told.final.get("error") or "" for told in outcome.told]
    deaths = Counter(error for error in errors if "killed" in error or "interrupted" in error)
    first, last = (rest.resident_bytes >> 20 for rest in outcome.rests)
    print(f"in {outcome.took_s:.0f} s: {_counted(ends)}")
    print(f"killed: {_counted(Counter(kill.victim for kill in outcome.kills))}")
    print(f"failed with them: {_counted(deaths)}")
    print(f"instances: {_counted(outcome.starts)}; at most {outcome.most_instances} at once")
    print(f"memory of the server at rest: {first} MiB before the last wave, {last} MiB after")
    for number, problem in enumerate(outcome.problems):
        print(f"- {problem if number < MOST_SHOWN else problem.splitlines()[0]}")
    print(f"{len(outcome.problems)} problems")


def _counted(what: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in what.most_common()) or "none"


if __name__ == "__main__":
    sys.exit(main())
