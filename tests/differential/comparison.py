"""Compares two endings, field by field, against the table of differences. Pure."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from tests.differential.outcome import FIELDS, Field, Outcome

_BETWEEN = "\n\x00\n"
"""Stands between the two texts when one pattern looks at both."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A place where we answer otherwise on purpose; one row of the table in the docs."""

    case: str
    """What it is about, in a few words; its name."""
    cog: str
    """What Cog's server answers."""
    ours: str
    """What we answer."""
    why: str
    scenarios: tuple[str, ...]
    """Globs of scenario ids; there it must be exactly so."""
    fields: dict[Field, tuple[str, str]]
    """For each field that differs a pattern of Cog's text and one of ours, which may refer back to groups
    of the first. The text of an output or of metrics is its JSON."""

    def concerns(self, scenario: str) -> bool:
        return any(fnmatchcase(scenario, glob) for glob in self.scenarios)

    def row(self) -> str:
        """Its row in the table of the docs."""
        return f"| {self.case} | {self.cog} | {self.ours} | {self.why} |"


def complaints(
    scenario: str,
    cog: Outcome,
    ours: Outcome,
    differences: tuple[Difference, ...],
    *,
    ignores: tuple[Field, ...],
) -> list[str]:
    """What is not as it should be: a difference that no row explains, or a row that is no longer true."""
    concerning = [difference for difference in differences if difference.concerns(scenario)]
    return [
        complaint
        for field in FIELDS
        if field not in ignores
        for complaint in _of_field(field, getattr(cog, field), getattr(ours, field), concerning)
    ]


def _of_field(field: Field, cog: Any, ours: Any, concerning: list[Difference]) -> list[str]:
    rows = [difference for difference in concerning if field in difference.fields]
    if not rows:
        return [] if _same(cog, ours) else [f"{field}: Cog {_text(cog)!r}, ours {_text(ours)!r}"]
    return [
        f"{field}: not as the row {row.case!r} says: Cog {_text(cog)!r}, ours {_text(ours)!r}"
        for row in rows
        if not re.fullmatch(_pattern(row, field), _text(cog) + _BETWEEN + _text(ours), re.DOTALL)
    ]


def _pattern(row: Difference, field: Field) -> str:
    return _BETWEEN.join(f"(?:{side})" for side in row.fields[field])


def _same(cog: Any, ours: Any) -> bool:
    """Equal, and of equal types: 1 is not 1.0, nor is it true."""
    return _text(cog) == _text(ours)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
