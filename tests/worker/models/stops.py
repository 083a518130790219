"""Models about being cancelled."""

import asyncio
import signal
import subprocess
import threading
import time
from pathlib import Path as LocalPath
from typing import Any, Iterator

import cog
from cog import CancelationException


def sleeps() -> str:
    print("sleeping", flush=True)
    time.sleep(1000)
    return "slept"


def misses_the_first(gate: str) -> str:
    """As if the signal came just before the main thread fell asleep: its handler does nothing then."""
    number = signal.SIGRTMIN + 3
    handler = signal.signal(number, signal.SIG_IGN)
    print("deaf", flush=True)
    while not LocalPath(gate).exists():
        time.sleep(0.001)
    signal.signal(number, handler)
    time.sleep(1000)
    return "slept"


def computes() -> str:
    print("computing", flush=True)
    while True:
        sum(range(1000))


def waits_for_child() -> str:
    print("waiting", flush=True)
    subprocess.run(["sleep", "1000"], check=True)
    return ""


def cleans_up(note: str) -> str:
    try:
        print("sleeping", flush=True)
        time.sleep(1000)
    except CancelationException:
        time.sleep(0.05)
        LocalPath(note).write_text("cleaned up")
        raise
    return "slept"


def swallows() -> str:
    try:
        print("sleeping", flush=True)
        time.sleep(1000)
    except BaseException:
        pass
    return "swallowed"


def swallows_and_goes_on() -> Iterator[int]:
    try:
        yield 1
        print("sleeping", flush=True)
        time.sleep(1000)
    except CancelationException:
        pass
    yield 2
    yield 3


def raises_another() -> str:
    try:
        print("sleeping", flush=True)
        time.sleep(1000)
    finally:
        raise ValueError("another")
    return ""


def ordinary_except() -> str:
    while True:
        try:
            print("sleeping", flush=True)
            time.sleep(1000)
        except Exception:
            pass


def records_without_end() -> str:
    """Always inside the worker's own code, nearly."""
    print("recording", flush=True)
    while True:
        cog.current_scope().record_metric("n", 1, mode="incr")


def ignores() -> str:
    while True:
        try:
            print("ignoring", flush=True)
            threading.Event().wait()
        except BaseException:
            pass


def raises_it() -> str:
    raise CancelationException


def quick(text: str) -> str:
    return text


async def async_sleeps() -> str:
    print("sleeping", flush=True)
    await asyncio.sleep(1000)
    return "slept"


async def async_cleans_up(note: str) -> str:
    try:
        print("sleeping", flush=True)
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(0.05)
        LocalPath(note).write_text("cleaned up")
    return "slept"


async def async_swallows() -> str:
    try:
        print("sleeping", flush=True)
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        pass
    return "swallowed"


async def async_says_cancelled() -> str:
    raise ValueError("the order was cancelled: CancelledError")


async def async_cancels_itself() -> str:
    raise asyncio.CancelledError


def _hides(function):
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


@_hides
async def hidden_sleeps() -> str:
    print("sleeping", flush=True)
    await asyncio.sleep(1000)
    return "slept"
