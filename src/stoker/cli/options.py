"""The options that several commands have, so that they are called and explained the same everywhere."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def as_json(help: str = "Print the API's objects as a JSON array.") -> Callable[[Command], Command]:
    """``--json``, given as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help=help)


def limit(default: int) -> Callable[[Command], Command]:
    """``--limit``: the longest list that is asked for."""
    return click.option(
        "--limit",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        help="Show at most so many.",
    )
