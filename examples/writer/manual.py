"""The text that the model learns from: prose that every Python ships, its manual and its docstrings."""

import builtins
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics
from types import ModuleType

MODULES = Path(__file__).with_name("modules.txt").read_text().split()

NOT_PROSE = re.compile(r"^\s|^[*=\-~^]{3,}$|>>>|^[:@|]|::|\w+ = ", re.MULTILINE)
BULLET = re.compile(r"^(?:\*|-|\[?\d+[.\])])\s+")
PLAIN = str.maketrans({**dict.fromkeys('"“”*`'), "\u2019": "'"})


def prose() -> str:
    """Paragraphs of full sentences, one line each, each once; headings, grammar and examples left out."""
    texts = [*(topics[topic] for topic in sorted(topics)), *_docstrings()]
    paragraphs = (paragraph for text in texts for paragraph in text.split("\n\n"))
    lines = (_one_line(paragraph) for paragraph in paragraphs if _is_prose(paragraph))
    return "\n\n" + "\n\n".join(dict.fromkeys(lines))


def _docstrings() -> Iterator[str]:
    for module in (builtins, *map(importlib.import_module, MODULES)):
        for thing in (module, *_public(module)):
            if text := inspect.getdoc(thing):
                yield text


def _public(module: ModuleType) -> Iterator[object]:
    """The module's functions and classes, and the classes' own methods."""
    for name, thing in vars(module).items():
        if name.startswith("_") or not callable(thing):
            continue
        yield thing
        if inspect.isclass(thing):
            yield from (method for method in vars(thing).values() if inspect.isroutine(method))


def _is_prose(paragraph: str) -> bool:
    words = paragraph.split()
    if len(words) < 8 or NOT_PROSE.search(paragraph.strip("\n")):
        return False
    return paragraph.rstrip().endswith(".") and sum(word.isalpha() for word in words) > 0.6 * len(words)


def _one_line(paragraph: str) -> str:
    return BULLET.sub("", " ".join(paragraph.split())).translate(PLAIN)
