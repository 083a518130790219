"""Prints the table: each trace under each policy.

python -m benchmarks.scaling [--seed 1] [--only bursts]
"""

import argparse

from benchmarks.scaling.policies import EachWaiting, NoIdling, OneEach, Stoker, best
from benchmarks.scaling.simulation import Outcome, simulate
from benchmarks.scaling.traffic import Trace, traces

HEAD = f"| {'policy':18} | mean wait | p95 wait | p99 wait | instance-s | boots |"


def table(trace: Trace) -> list[str]:
    rows = [("best possible", best(trace))]
    rows += [
        (policy.name, simulate(trace, policy)) for policy in (Stoker(), OneEach(), EachWaiting(), NoIdling())
    ]
    title = f"**{trace.name}**: {len(trace.arrivals)} predictions, room for {trace.capacity}"
    return ["", title, "", HEAD, "|---|---|---|---|---|---|", *(row(name, outcome) for name, outcome in rows)]


def row(name: str, outcome: Outcome) -> str:
    return (
        f"| {name:18} | {outcome.mean_wait_s:7.2f} s | {outcome.wait_at(0.95):6.1f} s "
        f"| {outcome.wait_at(0.99):6.1f} s | {outcome.instance_s:10,.0f} | {outcome.boots:5} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="traces with this in their name")
    arguments = parser.parse_args()
    for trace in traces(arguments.seed):
        if arguments.only in trace.name:
            print("\n".join(table(trace)), flush=True)


if __name__ == "__main__":
    main()
