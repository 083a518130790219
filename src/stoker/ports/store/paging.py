"""Parts of lists, and places in them. Every list of the store is ordered by (time, id)."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list, newest first whichever way it was reached, and whether there is more either way.

    It has fewer items than the limit where there are no more, or where they are large.
    """

    items: list[T]
    has_next: bool
    """Whether there are older ones."""
    has_previous: bool
    """Whether there are newer ones; of the first page (no cursor) never."""


class Cursor(msgspec.Struct, frozen=True):
    """A place in a list ordered by (time, id), for the items strictly older (``reverse``: newer) than it."""

    time_us: int
    id: str
    reverse: bool = False
