"""``python -m benchmarks``: measures the same models on Cog's own server and on Stoker, in turns."""

import argparse
import sys
from pathlib import Path

from benchmarks import report
from benchmarks.client import LoadFailed
from benchmarks.contenders import Arena, stoker
from benchmarks.figures import Sheet
from benchmarks.measures import FULL, MEASURES, QUICK

RESULTS = Path(__file__).with_name("results")


def main() -> int:
    """Runs the measures that are asked for, prints the table and keeps the results; 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    named = ", ".join(MEASURES)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"{named}; all of them by default")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller loads: a fast look")
    options = parser.parse_args()
    if unknown := set(options.measures) - set(MEASURES):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}")
    about = report.machine() | {"quick": options.quick}
    print("  ".join(f"{name}={value}" for name, value in about.items()))
    sheet = Sheet()
    failed = _measure(options.measures or list(MEASURES), sheet, quick=options.quick)
    print("\n" + report.table(sheet))
    print(f"\nkept in {report.save(sheet, RESULTS, about=about)}")
    return 1 if failed else 0


def _measure(names: list[str], sheet: Sheet, *, quick: bool) -> bool:
    """Fills the sheet; whether some measure failed, whose figures are then incomplete."""
    failed = False
    with stoker() as server:
        arena = Arena(server)
        for name in names:
            print(f"measuring {name} ...", flush=True)
            try:
                MEASURES[name](arena, sheet, QUICK if quick else FULL)
            except LoadFailed as error:
                print(f"{name} failed: {error}", file=sys.stderr, flush=True)
                failed = True
    return failed
