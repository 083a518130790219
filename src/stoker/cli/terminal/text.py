"""How values are written for people: sizes, times, tables. Pure but for the printing of a table."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click


def size(size_bytes: int | float) -> str:
    """``512 B``, ``1.2 MB``."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def seconds(amount_s: float | None) -> str:
    """``0.21 s``, ``3 min 20 s``; nothing for None."""
    if amount_s is None:
        return ""
    if amount_s < 10:
        return f"{amount_s:.2f} s"
    if amount_s < 120:
        return f"{amount_s:.0f} s"
    return f"{int(amount_s // 60)} min {int(amount_s % 60)} s"


def moment(stamp: str | None) -> str:
    """A time of the API, to the second and in UTC: ``2026-11-20 17:02:44``; nothing for None."""
    if not stamp:
        return ""
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def count(number: int, noun: str) -> str:
    """``1 file``, ``3 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def to_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table to stdout: with lines on a terminal; in a pipe, columns of text and nothing cut off."""
    if sys.stdout.isatty():
        _table_for_people(columns, list(rows))
    else:
        _table_for_pipes(columns, [list(row) for row in rows])


def _table_for_people(columns: Sequence[str], rows: list[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column.upper(), overflow="fold")
    for row in rows:
        made.add_row(*row)
    Console(markup=False, highlight=False).print(made)


def _table_for_pipes(columns: Sequence[str], rows: list[list[str]]) -> None:
    lines = [[column.upper() for column in columns], *([cell or "-" for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())
