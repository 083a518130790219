"""Models whose output grows."""

import asyncio
import functools
import itertools
import os
import sys
import time
from typing import Any, AsyncIterator, Generator, Iterator

from cog import AsyncConcatenateIterator, ConcatenateIterator, Input


def _wait_for(path: str) -> None:
    while not os.path.exists(path):
        time.sleep(0.002)


async def _wait_for_async(path: str) -> None:
    while not os.path.exists(path):
        await asyncio.sleep(0.002)


def generator(n: int) -> ConcatenateIterator[str]:
    for i in range(n):
        yield f"t{i} "


def paused(path: str) -> Iterator[str]:
    """Goes on when somebody makes the file, as a reader of the first items may."""
    yield "first"
    yield "second"
    _wait_for(path)
    yield "third"


async def async_generator(n: int) -> AsyncConcatenateIterator[str]:
    for i in range(n):
        yield f"t{i} "


async def async_paused(path: str) -> AsyncIterator[str]:
    yield "first"
    yield "second"
    await _wait_for_async(path)
    yield "third"


async def async_returns_generator(n: int) -> AsyncIterator[str]:
    return async_generator(n)


def hides(function):
    """A decorator that hides that its function is asynchronous."""

    @functools.lru_cache(maxsize=None)
    def settings():
        return None

    def inner(*args: Any, **kwargs: Any):
        settings()
        return function(*args, **kwargs)

    return inner


@hides
async def hidden_coroutine(n: int) -> str:
    await asyncio.sleep(0)
    return "x" * n


@hides
async def hidden_generator(n: int) -> AsyncIterator[str]:
    for i in range(n):
        await asyncio.sleep(0)
        yield f"t{i} "


def iterator_object(n: int) -> Iterator[int]:
    return map(int, range(n))


def listed(n: int) -> Iterator[int]:
    return list(range(n))


def single() -> Iterator[str]:
    return "only"


def nothing() -> Iterator[str]:
    return None


def unannotated_growth(n: int) -> list[int]:
    for i in range(n):
        yield i


def generator_annotation(n: int) -> Generator[int, None, None]:
    yield from range(n)


def nones() -> Iterator[Any]:
    yield None
    yield [1, None]


def fails(n: int) -> Iterator[int]:
    yield from range(n)
    raise ValueError("mid")


def endless(note: str = Input(default="")) -> Iterator[int]:
    try:
        yield from itertools.count()
    finally:
        if note:
            with open(note, "w") as file:
                file.write("closed")


async def async_endless() -> AsyncIterator[int]:
    """Never awaits."""
    for i in itertools.count():
        yield i


async def async_endless_large() -> AsyncIterator[str]:
    while True:
        yield "x" * 100_000


def burst_then_silent(path: str) -> Iterator[int]:
    for i in range(100):
        yield i
    sys.stdout.flush()
    _wait_for(path)
