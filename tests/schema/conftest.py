"""Models for the schema tests: source text becomes a module file in a folder of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from stoker_worker import loading, schema

PRELUDE = """\
import collections.abc, dataclasses, enum, os, pathlib, typing
from typing import *
from typing import Annotated
import cog
from cog import *
from cog import BaseModel, Input, Path
"""


class Models:
    """Writes model files into one folder and loads them."""

    def __init__(self, folder: Path):
        self.folder = folder

    def write(self, source: str, file: str = "predict.py") -> str:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
        return str(path)

    def load(self, source: str, name: str = "Runner", **options: Any) -> loading.Loaded:
        return loading.load(f"{self.write(source)}:{name}", **options)

    def function(self, parameters: str, returns: str = "str", above: str = "") -> loading.Loaded:
        """A model that is one function, with everything that models import already imported."""
        source = f"{PRELUDE}{dedent(above)}\ndef run({parameters}) -> {returns}: ...\n"
        return loading.load(f"{self.write(source)}:run")

    def schemas(self, parameters: str, returns: str = "str", above: str = "") -> dict[str, Any]:
        """The components of that model's document."""
        return schema.document(self.function(parameters, returns, above))[0]["components"]["schemas"]


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    before = set(sys.modules)
    yield Models(tmp_path)
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def properties(models: Models) -> Callable[..., dict[str, Any]]:
    """The ``Input`` component of a function with these parameters."""

    def of(parameters: str, above: str = "") -> dict[str, Any]:
        return models.schemas(parameters, above=above)["Input"]

    return of


@pytest.fixture
def output(models: Models) -> Callable[..., dict[str, Any]]:
    """The ``Output`` component of a function that returns this."""

    def of(returns: str, above: str = "") -> dict[str, Any]:
        return models.schemas("", returns, above)["Output"]

    return of
