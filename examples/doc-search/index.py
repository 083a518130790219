"""A full-text index in SQLite that many searches use at once, each stoppable in the middle."""

import asyncio
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from entries import Entry

SEARCH = """
SELECT name, snippet(entries, 1, '', '', ' ... ', 24), bm25(entries, 8.0, 1.0)
FROM entries WHERE entries MATCH ? ORDER BY 3 LIMIT ?
"""


class Match(NamedTuple):
    name: str
    passage: str
    score: float


def build(path: Path, entries: Iterable[Entry]) -> int:
    """Writes the index to a file; how many entries there are."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE VIRTUAL TABLE entries USING fts5(name, text, tokenize='porter unicode61')")
        connection.executemany(
            "INSERT INTO entries VALUES (?, ?)", (entry for entry in entries if entry.text)
        )
        (count,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    connection.close()
    return count


class Index:
    """A few connections to the file; a search borrows one and works on it in a thread."""

    def __init__(self, path: Path, *, connections: int):
        self._idle: asyncio.Queue[sqlite3.Connection] = asyncio.Queue()
        for _ in range(connections):
            self._idle.put_nowait(sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False))

    async def search(self, question: str, *, limit: int) -> list[Match]:
        """The best matches first; every word counts, none is required."""
        words = re.findall(r"\w+", question)
        if not words:
            return []
        connection = await self._idle.get()
        query = " OR ".join(f'"{word}"' for word in words)
        work = asyncio.ensure_future(asyncio.to_thread(_search, connection, query, limit))
        work.add_done_callback(lambda done: self._give_back(connection, done))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            connection.interrupt()
            raise

    def _give_back(self, connection: sqlite3.Connection, done: "asyncio.Future[list[Match]]") -> None:
        """Only now: an interrupted search still has the connection for a moment."""
        done.exception()  # asked for, so that an interrupted search is not reported as a forgotten error
        self._idle.put_nowait(connection)


def _search(connection: sqlite3.Connection, query: str, limit: int) -> list[Match]:
    rows = connection.execute(SEARCH, (query, limit)).fetchall()
    return [Match(name, " ".join(passage.split()), round(-score, 2)) for name, passage, score in rows]
