"""The results for people (a table) and for programs (JSON)."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Sheet

_COLUMNS = (40, 10, 12, 12, 10, 26)


def table(sheet: Sheet) -> str:
    """One line a figure: medians, how many times better we are, and the target."""
    head = ("median of the rounds", "unit", "Cog", "Stoker", "better", "target")
    lines = [_line(head), "-" * sum(_COLUMNS)]
    lines += [_line(_cells(figure)) for figure in sheet.figures.values()]
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    first, unit, *numbers, target = cells
    aligned = [text.rjust(width - 2) + "  " for text, width in zip(numbers, _COLUMNS[2:5], strict=True)]
    return first.ljust(_COLUMNS[0]) + unit.ljust(_COLUMNS[1]) + "".join(aligned) + target


def _cells(figure: Figure) -> tuple[str, ...]:
    better = figure.times_better
    verdict = {True: "reached: ", False: "MISSED: ", None: ""}[figure.reached]
    return (
        figure.name,
        figure.unit,
        _number(figure.median("Cog")),
        _number(figure.median("Stoker")),
        "" if better is None else f"{better:.2f}x",
        verdict + (figure.target.text() if figure.target else ""),
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or None,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "cog": version("cog"),
        "load_1min": os.getloadavg()[0],
        "fsync_ms": _fsync_ms(),
    }


def _fsync_ms() -> float:
    """Median milliseconds to put one small write on this disk."""
    with tempfile.NamedTemporaryFile(dir=Path(__file__).parent) as file:
        times: list[float] = []
        for _ in range(51):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[25]


def save(sheet: Sheet, folder: Path, *, about: dict[str, Any]) -> Path:
    """Writes everything, every sample included, into a new file of the folder."""
    figures = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "better": figure.better,
            "cog": figure.median("Cog"),
            "stoker": figure.median("Stoker"),
            "times_better": figure.times_better,
            "target": figure.target.text() if figure.target else None,
            "reached": figure.reached,
            "samples": dict(figure.samples),
        }
        for figure in sheet.figures.values()
    ]
    folder.mkdir(exist_ok=True)
    path = folder / f"{about['at'].replace(':', '')}.json"
    path.write_text(json.dumps({"machine": about, "figures": figures}, indent=2) + "\n")
    return path
