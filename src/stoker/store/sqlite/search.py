"""Searching models: SQLite's full-text index where it has FTS5, a plain scan where it was built without.

Used by ``store`` when it opens a database and by ``models``. The index is no part of the schema: it is
derived from the models, and made anew by the first start that can.
"""

import sqlite3
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from stoker.store.sqlite.queries import queries

_TRIGGERS = ("models_text_insert", "models_text_delete", "models_text_update")


def has_fts5(db: sqlite3.Connection) -> bool:
    """Whether this SQLite can make full-text indexes."""
    return db.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None


def prepare(db: sqlite3.Connection) -> None:
    """Makes the index where it is missing, or stops keeping it where this SQLite could not write to it."""
    if not has_fts5(db):
        db.executescript("".join(f"DROP TRIGGER IF EXISTS {name};" for name in _TRIGGERS))
    elif not _is_kept(db):
        text = (resources.files("stoker.store.sqlite") / "search.sql").read_text("utf-8")
        db.executescript(f"BEGIN IMMEDIATE;{text};COMMIT;")


def find(
    db: sqlite3.Connection, columns: str, words: Sequence[str], account: str, limit: int
) -> list[tuple[Any, ...]]:
    """The rows of the models that have all the words (or words that begin so), the best first; the last
    column says how well."""
    sql = _sql(columns)
    if _is_kept(db):
        wanted = " ".join(f'"{word}"*' for word in words)
        return db.execute(sql["match"], (wanted, account, limit)).fetchall()
    return db.execute(sql["scan"], (msgspec.json.encode(words).decode(), account, limit)).fetchall()


@cache
def _sql(columns: str) -> dict[str, str]:
    return queries("search", columns=columns)


def _is_kept(db: sqlite3.Connection) -> bool:
    found = db.execute(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'models'"
        " AND name LIKE 'models_text_%'"
    ).fetchone()
    return int(found[0]) == len(_TRIGGERS)
