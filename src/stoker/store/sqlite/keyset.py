"""Pages by place, not by number: stable while rows come and go, and as fast at the end as at the start.

Used by every list of this package. A list is ordered by (time, id), newest first; a query has the form
``... AND (time, id) > (?, ?) AND (time, id) < (?, ?) ORDER BY time, id LIMIT ?`` and an index to match.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

from stoker.ports.store import Cursor, Page

T = TypeVar("T")
Place = tuple[int, str]

_EARLIEST = -(2**63)
_LATEST = 2**63 - 1
MOST_BYTES = 32 * 1024 * 1024
"""What the rows of a page may take before it is cut short: a hundred outputs would else fill the memory."""
FIRST: Place = (_EARLIEST, "")
LAST: Place = (_LATEST, "\U0010ffff")
_SIZED = (bytes, str)
"""``bytes | str`` would be made anew for each value."""


def page(
    db: sqlite3.Connection,
    sql: dict[str, str],
    name: str,
    fixed: tuple[Any, ...],
    *,
    cursor: Cursor | None,
    limit: int,
    build: Callable[[tuple[Any, ...]], T],
    place: Callable[[T], Place],
    low: Place = FIRST,
    high: Place = LAST,
    ascending: bool = False,
) -> Page[T]:
    """One page of the rows strictly between ``low`` and ``high``, newest first in either direction.

    ``fixed`` are the values before the places; ``name`` and ``name_reverse`` are the two queries. An
    ``ascending`` list has its oldest first, and its ``next`` leads to newer ones.
    """
    reverse = cursor is not None and cursor.reverse
    rising = reverse != ascending
    low, high = _within(low), _within(high)
    start, end = _narrow(cursor, low, high, rising=rising)
    found = db.execute(sql[f"{name}_reverse" if rising else name], (*fixed, *start, *end, limit + 1))
    rows, more = _take(found, limit)
    items = [build(row) for row in rows]
    if cursor is None:
        return Page(items, has_next=more, has_previous=False)
    first = place(items[0]) if items else None
    if reverse:
        items.reverse()
    rest = (low, high) if first is None else (low, first) if rising else (first, high)
    behind = db.execute(sql[name], (*fixed, *rest[0], *rest[1], 1)).fetchone() is not None
    return Page(items, has_next=behind, has_previous=more) if reverse else Page(items, more, behind)


def _take(found: sqlite3.Cursor, limit: int) -> tuple[list[tuple[Any, ...]], bool]:
    """The rows that one page holds, at least one, and whether there are more."""
    rows: list[tuple[Any, ...]] = []
    size_bytes = 0
    with closing(found):
        for row in found:
            if len(rows) == limit or size_bytes > MOST_BYTES:
                return rows, True
            rows.append(row)
            size_bytes += sum(len(value) for value in row if isinstance(value, _SIZED))
    return rows, False


def _narrow(cursor: Cursor | None, low: Place, high: Place, *, rising: bool) -> tuple[Place, Place]:
    if cursor is None:
        return low, high
    at = _within((cursor.time_us, cursor.id))
    return (max(low, at), high) if rising else (low, min(high, at))


def _within(place: Place) -> Place:
    """The place where SQLite can compare: times come from clients, and may be any number."""
    return min(max(place[0], _EARLIEST), _LATEST), place[1]
