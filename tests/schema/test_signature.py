"""Sections 3.3 and 3.6 of the Cog contract: what a method takes, seen through its decorators."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker_worker import schema, signature
from stoker_worker.errors import ModelError

KINDS = [
    ("str", "plain", False, False),
    ("Any", "plain", False, False),
    ("dict[str, int]", "plain", False, False),
    ("Path", "path", False, False),
    ("pathlib.Path", "path", False, False),
    ("os.PathLike", "path", False, False),
    ("File", "file", False, False),
    ("Secret", "secret", False, False),
    ("list", "plain", True, False),
    ("list[int]", "plain", True, False),
    ("list[Path]", "path", True, False),
    ("List[File]", "file", True, False),
    ("Optional[Path]", "path", False, True),
    ("Path | None", "path", False, True),
    ("Optional[list[Path]]", "path", True, True),
    ("Annotated[Path, 'a note']", "path", False, False),
    ("Annotated[Optional[Path], 'a note']", "path", False, True),
    ("Optional[Annotated[Path, 'a note']]", "path", False, True),
    ("list[Annotated[Path, 'a note']]", "path", True, False),
    ("'Optional[list[Path]]'", "path", True, True),
    ("'Path'", "path", False, False),
    ("str | int | None", "plain", False, True),
    ("Annotated[list[dict], Opaque]", "plain", True, False),
    ("Annotated[Optional[dict], Opaque]", "plain", False, True),
]


@pytest.mark.parametrize(("annotation", "kind", "is_list", "optional"), KINDS)
def test_kind_list_and_optional_are_seen_through_the_annotation(models, annotation, kind, is_list, optional):
    (parameter,) = signature.parameters(models.function(f"x: {annotation}").function)
    assert (parameter.kind, parameter.is_list, parameter.optional) == (kind, is_list, optional)


DEFAULTS = [
    ("x: int", False, None, False),
    ("x: int = Input()", False, None, False),
    ("x: int = Input(...)", False, None, False),
    ("x: int = Input(default=None)", True, None, True),
    ("x: int = Input(None)", True, None, True),
    ("x: int = None", True, None, True),
    ("x: int = 3", True, 3, False),
    ("x: int = Input(3)", True, 3, False),
    ("x: int = Input(default=3)", True, 3, False),
    ("x: int = FieldInfo(default=3)", True, 3, False),
    ("x: int = FieldInfo()", False, None, False),
]


@pytest.mark.parametrize(("parameter", "has_default", "default", "explicit_none"), DEFAULTS)
def test_defaults_are_resolved_and_an_explicit_none_is_known(
    models, parameter, has_default, default, explicit_none
):
    (read,) = signature.parameters(models.function(parameter).function)
    assert (read.has_default, read.default, read.explicit_none) == (has_default, default, explicit_none)


def test_a_default_of_none_does_not_change_the_type(models):
    (parameter,) = signature.parameters(models.function("x: str = None").function)
    assert parameter.annotation is str and not parameter.optional


def test_the_imports_of_cog_under_any_name_give_the_same_input(models):
    above = "from cog.input import Input as first\nimport cog.input, cog as c"
    read = signature.parameters(
        models.function(
            "a: int = first(default=None), b: int = c.Input(None), c: int = cog.input.Input()", above=above
        ).function
    )
    assert [parameter.has_default for parameter in read] == [True, True, False]


DECORATORS = """
import functools
from cog import *
def wrapped(function):
    @functools.wraps(function)
    def inner(*args, **kwargs): return function(*args, **kwargs)
    return inner
def bare(function):
    def inner(*args, **kwargs): return function(*args, **kwargs)
    return inner
def method_only(function):
    calls = []
    def inner(self, *args, **kwargs): return function(self, *args, **kwargs)
    return inner
def annotated(function):
    def inner(*args: object, **kwargs: object) -> object: return function(*args, **kwargs)
    return inner
"""


@pytest.mark.parametrize(
    "decorators",
    ["@wrapped", "@bare", "@method_only", "@annotated", "@wrapped\n    @bare", "@bare\n    @wrapped"],
)
def test_a_decorator_does_not_hide_the_inputs(models, decorators):
    source = f"""{DECORATORS}
class Runner(BaseRunner):
    {decorators}
    def run(self, seed: int = Input(default=3, ge=1)) -> str: return str(seed)
"""
    loaded = models.load(source)
    assert [parameter.name for parameter in signature.parameters(loaded.function)] == ["seed"]
    assert signature.returns(loaded.function) is str
    assert loaded.target(seed=4) == "4"


REFUSED = [
    ("x", "missing type annotation for input: x"),
    ("x='a'", "missing type annotation for input: x"),
    ("x: Gone", "name 'Gone' is not defined"),
    ("x: 'Gone'", "the annotation of input x cannot be resolved: name 'Gone' is not defined"),
    ("x: int, /", "run() must not have positional-only inputs: x"),
]


@pytest.mark.parametrize(("parameters", "message"), REFUSED)
def test_an_input_without_a_usable_annotation_is_refused(models, parameters, message):
    with pytest.raises((ModelError, NameError)) as raised:
        signature.parameters(models.function(parameters).function)
    assert str(raised.value) == message


def test_a_missing_return_annotation_is_refused(models):
    loaded = models.load("class Runner:\n    def predict(self, x: str): ...")
    with pytest.raises(ModelError) as raised:
        schema.document(loaded)
    assert str(raised.value) == "predict() must have a return type annotation"


def test_a_method_without_self_is_refused(models):
    loaded = models.load("class Runner:\n    def run() -> str: ...")
    with pytest.raises(ModelError) as raised:
        schema.document(loaded)
    assert str(raised.value) == "run() must have 'self' as first argument"


@pytest.mark.parametrize("first", ["self", "this"])
def test_the_first_argument_of_a_method_is_no_input(models, first):
    loaded = models.load(f"class Runner:\n    def run({first}, x: str) -> str: ...")
    assert [parameter.name for parameter in signature.parameters(loaded.function)] == ["x"]


def test_a_plain_function_from_a_class_is_read_without_self():
    class Runner:
        def run(self, x: Path, y: int | None = None) -> str: ...

    assert [parameter.name for parameter in signature.parameters(Runner.run)] == ["x", "y"]


SETUPS = [
    ("def setup(self): ...", None),
    ("def setup(self, weights): ...", None),
    ("def setup(self, weights=None, *, size=3): ...", None),
    ("def setup(self, *args, **kwargs): ...", None),
    ("async def setup(self): ...", None),
    ("def setup(self, weights, foo, bar): ...", "unexpected setup() arguments: foo, bar"),
    ("def setup(): ...", "setup() must have 'self' as first argument"),
]


@pytest.mark.parametrize("make", [True, False])
@pytest.mark.parametrize(("setup", "message"), SETUPS)
def test_a_setup_that_could_not_be_called_is_refused(models, setup, message, make):
    loaded = models.load(f"class Runner:\n    {setup}\n    def run(self) -> str: ...", make=make)
    if message is None:
        signature.check_setup(loaded.setup)
        return
    with pytest.raises(ModelError) as raised:
        signature.check_setup(loaded.setup)
    assert str(raised.value) == message


STREAMING = [
    ("@streaming", True),
    ("@streaming()", True),
    ("@cog.streaming", True),
    ("@alias", True),
    ("@wrapped\n    @streaming", True),
    ("@streaming\n    @wrapped", True),
    ("@bare\n    @streaming", True),
    ("@wrapped", False),
    ("", False),
]


@pytest.mark.parametrize(("decorator", "expected"), STREAMING)
def test_streaming_marks_the_function(models, decorator, expected):
    source = f"""{DECORATORS}
import cog
from cog import streaming as alias
class Runner:
    {decorator}
    def run(self) -> Iterator[str]: yield "a"
"""
    source = "from typing import Iterator\n" + source
    loaded = models.load(source)
    assert loaded.streaming is expected
    assert list(loaded.target()) == ["a"]


CONCURRENT = [
    ("@concurrent(max=4)", 4),
    ("@concurrent", 1),
    ("@wrapped\n    @concurrent(max=2)", 2),
    ("@bare\n    @concurrent(max=2)", 2),
    ("", None),
]


@pytest.mark.parametrize(("decorator", "expected"), CONCURRENT)
def test_concurrent_is_read_from_the_function(models, decorator, expected):
    source = f"{DECORATORS}\nclass Runner:\n    {decorator}\n    async def run(self) -> str: ...\n"
    loaded = models.load(source)
    assert loaded.concurrent_max == expected
    assert loaded.is_async
