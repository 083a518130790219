"""How values are written for people: sizes, times, tables. Pure but for the printing of a table."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

_GAP = "  "


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


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, nothing: str = "") -> None:
    """Prints a table to stdout; ``nothing`` is said on stderr where it has no rows.

    In a pipe nothing is cut off or folded. On a terminal that is too narrow for it, each row becomes a short
    paragraph, so that ids and names stay whole and can be copied.
    """
    given = [list(row) for row in rows]
    if sys.stdout.isatty():
        _print_for_people([column.upper() for column in columns], given)
    else:
        _print_for_pipes([column.upper() for column in columns], given)
    if nothing and not given:
        click.echo(nothing, err=True)


def _print_for_people(heads: list[str], rows: list[list[str]]) -> None:
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    width = shutil.get_terminal_size().columns
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        for line in (heads, *rows):
            padded = [cell + " " * (most - cell_len(cell)) for cell, most in zip(line, widths, strict=True)]
            told = _GAP.join(padded).rstrip()
            click.echo(_bold(told) if line is heads else told)
        return
    for row in rows:
        click.echo("\n".join(_paragraph(heads, row, width=width)))


def _paragraph(heads: list[str], row: list[str], *, width: int) -> list[str]:
    """The first cell, and below it the others behind their heads, as many in a line as there is room for."""
    from rich.cells import cell_len

    lines = [_bold(row[0]), ""]
    for pair in [f"{head} {cell}" for head, cell in zip(heads[1:], row[1:], strict=True) if cell]:
        if lines[-1] and cell_len(lines[-1] + _GAP + pair) > width:
            lines.append("")
        lines[-1] += _GAP + pair
    return lines


def _bold(words: str) -> str:
    return words if os.environ.get("TERM") == "dumb" else click.style(words, bold=True)


def _print_for_pipes(heads: list[str], rows: list[list[str]]) -> None:
    lines = [heads, *([cell or "-" for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo(_GAP.join(padded).rstrip())
