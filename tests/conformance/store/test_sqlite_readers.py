"""The threads that read: each read is answered, and none waits for another while a thread is free."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable

from stoker.store.sqlite.readers import Readers
from tests.conformance.store.conftest import STORY_S


def play(story: Callable[[Readers], Awaitable[None]], *, threads: int = 3) -> None:
    async def run() -> None:
        connections = [sqlite3.connect(":memory:", check_same_thread=False) for _ in range(threads)]
        readers = Readers(connections)
        await story(readers)
        await readers.close()

    asyncio.run(asyncio.wait_for(run(), STORY_S))


def number(db: sqlite3.Connection, number: int) -> int:
    return db.execute("SELECT ?", (number,)).fetchone()[0]


def held(db: sqlite3.Connection, gate: threading.Event) -> bool:
    return gate.wait(STORY_S)


def test_one_after_the_other():
    async def story(readers: Readers) -> None:
        assert [await readers.do(number, n) for n in range(300)] == list(range(300))

    play(story)


def test_many_at_once():
    async def story(readers: Readers) -> None:
        for burst in (2, 3, 4, 100):
            assert await asyncio.gather(*(readers.do(number, n) for n in range(burst))) == list(range(burst))

    play(story)


def test_long_ones_hold_up_nothing_while_a_thread_is_free():
    async def story(readers: Readers) -> None:
        gate = threading.Event()
        long = [readers.do(held, gate), readers.do(held, gate)]
        assert await asyncio.gather(*(readers.do(number, n) for n in range(20))) == list(range(20))
        assert await readers.do(number, 20) == 20
        gate.set()
        assert await asyncio.gather(*long) == [True, True]

    play(story)


def test_closing_reads_what_was_asked_for():
    async def story(readers: Readers) -> None:
        asked = [readers.do(number, n) for n in range(50)]
        await readers.close()
        assert [one.result() for one in asked] == list(range(50))

    play(story)
    play(story, threads=1)
