"""Named SQL: one file a noun in sql/, each statement under a line ``-- name: what it does``.

Used by the modules of this package when they are imported. Never builds SQL from values; ``{columns}`` and
``{direction}`` are the only blanks, and only code of ours fills them.
"""

import re
from importlib import resources

_NAME = re.compile(r"^-- (?P<name>\w+): (?P<says>.+)$", re.MULTILINE)


def queries(noun: str, **blanks: str) -> dict[str, str]:
    """The statements of one file by name; ``{direction}`` becomes two, ``name`` and ``name_reverse``."""
    text = (resources.files("stoker.store.sqlite") / "sql" / f"{noun}.sql").read_text("utf-8")
    found: dict[str, str] = {}
    heads = list(_NAME.finditer(text))
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        name = head["name"]
        if name in found:
            raise ValueError(f"{noun}.sql has two statements named {name}")
        sql = text[head.end() : following.start() if following else None].strip().rstrip(";")
        for blank, value in blanks.items():
            sql = sql.replace(f"{{{blank}}}", value)
        found[name] = sql.replace("{direction}", "DESC")
        if "{direction}" in sql:
            found[f"{name}_reverse"] = sql.replace("{direction}", "ASC")
    return found
