"""The method is wrapped by a decorator, as torch.inference_mode does."""

import functools
from typing import Any, Callable

from cog import BaseRunner, Input, Path


def traced(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        return method(*arguments, **named)

    return wrapper


class Runner(BaseRunner):
    @traced
    def run(
        self,
        text: str = Input(default="default"),
        number: int = Input(default=2),
        file: Path = Input(default=None),
    ) -> str:
        return f"{text} {number} {type(file).__name__}"
