"""``python -m benchmarks.adapters``: what adapters beside Llama's layers cost, by how many a step mixes.

The engine of ``models/llama`` by itself, with as many streams for each number of adapters, in turns. Ratios
within a round mean something, absolute figures only on a quiet machine. Needs ``make
.venv/models/.installed``.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import library, report

Figures = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adapters", description=__doc__)
    parser.add_argument(
        "--checkpoint", type=Path, help="a directory; by default a new one of --width, --layers"
    )
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--adapters", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=60, help="of each stream")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print("  ".join(f"{name}={value}" for name, value in report.machine().items()))
    with (
        library.alone("adapters_engine.py", "llama", "tiny") as alone,
        tempfile.TemporaryDirectory() as folder,
    ):
        checkpoint = given.checkpoint or Path(folder) / "checkpoint"
        if given.checkpoint is None:
            alone("make", folder=str(checkpoint), width=given.width, layers=given.layers)
        alone("load", folder=str(checkpoint), adapters=max(given.adapters), rank=given.rank)
        _report(_measure(alone, [0, *given.adapters], given))
    return 0


def _measure(
    alone: library.Library, numbers: list[int], given: argparse.Namespace
) -> dict[int, list[Figures]]:
    """A warm-up and then the rounds; each begins with another number of adapters."""
    found: dict[int, list[Figures]] = {number: [] for number in numbers}
    for round_number in range(-1, given.rounds):
        for place in range(len(numbers)):
            number = numbers[(round_number + place) % len(numbers)]
            figures = alone("measure", adapters=number, streams=given.streams, tokens=given.tokens)
            if round_number >= 0:
                found[number].append(figures)
    return found


def _report(found: dict[int, list[Figures]]) -> None:
    for number, rounds in found.items():
        rate = statistics.median(figures["rate"] for figures in rounds)
        print(
            f"{number:3} adapters {rate:8.0f} tokens/s  {_of_none(found, number, 'rate')} of none;"
            f" tokens per second of CPU {_of_none(found, number, 'cpu_rate')}"
        )


def _of_none(found: dict[int, list[Figures]], number: int, figure: str) -> str:
    """Beside the same round without adapters, in which the machine was about as busy."""
    ratios = [mine[figure] / base[figure] for mine, base in zip(found[number], found[0], strict=True)]
    return f"{statistics.median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    sys.exit(main())
