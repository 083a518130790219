"""Raises in every way that there is."""

import sys
from typing import Any

from cog import BaseRunner, CancelationException, Input


class Own(BaseException):
    pass


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def chained() -> None:
    try:
        {}["key"]
    except KeyError as error:
        raise ValueError("outer") from error


def raising(error: BaseException) -> Any:
    def do() -> None:
        raise error

    return do


WAYS = {
    "value error": raising(ValueError("boom")),
    "no text": raising(ValueError()),
    "key error": raising(KeyError("k")),
    "many lines": raising(ValueError("one\ntwo")),
    "unicode": raising(ValueError("h\u00e9 \U0001f600")),
    "chained": chained,
    "assert": raising(AssertionError()),
    "stop iteration": raising(StopIteration("over")),
    "exit": lambda: sys.exit(3),
    "exit with text": lambda: sys.exit("bye"),
    "keyboard": raising(KeyboardInterrupt()),
    "generator exit": raising(GeneratorExit()),
    "own base": raising(Own("own words")),
    "unprintable": raising(Unprintable()),
    "cancelled itself": raising(CancelationException()),
    "the word cancelled": raising(RuntimeError("it was cancelled by CancelledError")),
    "recursion": lambda: WAYS["recursion"](),
}


class Runner(BaseRunner):
    def run(self, way: str = Input(choices=list(WAYS))) -> str:
        print("before the end")
        WAYS[way]()
        return "not reached"
