"""The Range header (RFC 9110, section 14): one range is served, several are not and give the whole. Pure."""

import re
from typing import NamedTuple

_ONE = re.compile(r"^bytes=\s*(\d{0,18})-(\d{0,18})\s*$", re.IGNORECASE)


class Span(NamedTuple):
    start: int
    end: int
    """One past the last byte."""


class Unsatisfiable(Exception):
    """No byte of the file is in the range."""


def parse(header: str | None, size_bytes: int) -> Span | None:
    """The bytes that are asked for; None is the whole file (no range, several, or none that we know)."""
    found = _ONE.match(header or "")
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        span = Span(max(0, size_bytes - int(last)), size_bytes)
    else:
        span = Span(int(first), min(int(last) + 1, size_bytes) if last else size_bytes)
        if last and int(last) < int(first):
            return None
    if span.start >= span.end:
        raise Unsatisfiable
    return span
