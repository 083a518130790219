"""What can be found: the topics of Python's manual and its library's docstrings. Every Python ships both."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics
from types import ModuleType
from typing import NamedTuple

MODULES = Path(__file__).with_name("modules.txt").read_text().split()


class Entry(NamedTuple):
    name: str
    """``json.dumps``, or a topic's name."""
    text: str


def entries() -> Iterator[Entry]:
    for name, text in topics.items():
        yield Entry(name, text)
    for module in map(importlib.import_module, MODULES):
        yield from _of_module(module)


def _of_module(module: ModuleType) -> Iterator[Entry]:
    yield Entry(module.__name__, inspect.getdoc(module) or "")
    for name in getattr(module, "__all__", None) or [
        name for name in vars(module) if not name.startswith("_")
    ]:
        thing = getattr(module, name)
        if inspect.isroutine(thing) or inspect.isclass(thing):
            yield Entry(f"{module.__name__}.{name}", inspect.getdoc(thing) or "")
        if inspect.isclass(thing):
            yield from _of_class(f"{module.__name__}.{name}", thing)


def _of_class(path: str, kind: type) -> Iterator[Entry]:
    for name, member in vars(kind).items():
        if not name.startswith("_") and inspect.isroutine(member) and (text := inspect.getdoc(member)):
            yield Entry(f"{path}.{name}", text)
