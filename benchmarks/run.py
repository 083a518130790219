"""``python -m benchmarks``: measures the same models on Cog's own server and on Stoker, in turns."""

import argparse
from pathlib import Path

from benchmarks import report
from benchmarks.contenders import Arena, stoker
from benchmarks.figures import Sheet
from benchmarks.measures import FULL, MEASURES, QUICK

RESULTS = Path(__file__).with_name("results")


def main() -> None:
    """Runs the measures that are asked for, prints the table and keeps the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "measures", nargs="*", metavar="MEASURE", help=f"{', '.join(MEASURES)}; all of them by default"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller loads: a fast look")
    options = parser.parse_args()
    if unknown := set(options.measures) - set(MEASURES):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}")
    about = report.machine() | {"quick": options.quick}
    print("  ".join(f"{name}={value}" for name, value in about.items()))
    sheet = Sheet()
    with stoker() as server:
        arena = Arena(server)
        for name in options.measures or MEASURES:
            print(f"measuring {name} ...", flush=True)
            MEASURES[name](arena, sheet, QUICK if options.quick else FULL)
    print("\n" + report.table(sheet))
    print(f"\nkept in {report.save(sheet, RESULTS, about=about)}")
