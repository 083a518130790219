"""An input in the making: a request's parameters are taken to a version's inputs, one by one.

Whatever is left at the end goes to the input of the same name; what has none is refused by its name, so that
nothing that a client asked for is silently left out. Pure.
"""

from typing import Any, TypeVar, cast

from stoker.api.inputs import InputSchema
from stoker.api.openai.surface import Surface
from stoker.api.wire import encode
from stoker.api.words import type_name
from stoker.core.errors import FieldProblem, InputInvalid

T = TypeVar("T")

IGNORED = frozenset(
    {
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)
"""What says nothing about the answer: accounting, caching and storage of OpenAI's own."""

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "background": ("auto",),
    "best_of": (1,),
    "chunking_strategy": ("auto",),
    "echo": (False,),
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "include": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "moderation": ("auto", "low"),
    "partial_images": (0,),
    "presence_penalty": (0,),
    "quality": ("auto", "standard"),
    "response_format": ({"type": "text"},),
    "style": ("vivid",),
    "suffix": ("",),
    "temperature": (1,),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "top_p": (1,),
}
"""Values that ask for what happens anyway; clients send some of them always."""

OTHER_ANSWERS = frozenset({"audio", "echo", "function_call", "functions", "logprobs", "modalities", "tools"})
"""What would need an answer of another shape: no input of a model makes up for that."""


class Draft:
    """``input`` grows; ``sources`` says which parameter each member of it came from."""

    def __init__(self, given: dict[str, Any], surface: Surface):
        self.surface = surface
        self.input: dict[str, Any] = {}
        self._left = {name: value for name, value in given.items() if value is not None}
        self._sources: dict[str, str] = {}

    def take(self, name: str, kind: type[T], *, default: T | None = None) -> T:
        """A parameter that the endpoint itself understands; without a default it must be there."""
        value = self._left.pop(name, default)
        # JSON's true is no number, though Python's is.
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        raise refusal(name, f"Invalid type. Expected: {type_name(kind)}, given: {type_name(type(value))}")

    def pop(self, name: str) -> Any:
        """A parameter of any type, or None."""
        return self._left.pop(name, None)

    def put(self, input: str, value: Any, *, source: str) -> None:
        """Gives an input its value; a structure becomes JSON text where the input takes text."""
        if self.surface.kind(input) == "string" and isinstance(value, list | dict):
            value = encode(value).decode()
        self.input[input] = value
        self._sources[input] = source

    def carry(self, name: str, inputs: tuple[str, ...]) -> None:
        """Takes a parameter, if it was given, to the first of these inputs that there is."""
        if name not in self._left:
            return
        to = self.surface.first(inputs)
        if to is not None:
            self.put(to, self._left.pop(name), source=name)

    def finish(self) -> None:
        """Finds a place for what is left, or refuses it."""
        for name, value in self._left.items():
            if self.surface.has(name) and name not in OTHER_ANSWERS:
                self.put(name, value, source=name)
            elif name not in IGNORED and value not in NEUTRAL.get(name, ()):
                raise refusal(name, "This model cannot take it")
        self._left.clear()

    def check(self, schema: InputSchema) -> None:
        """Raises ``InputInvalid`` with the parameters' own names where the input does not fit."""
        if problems := schema.problems(self.input):
            raise InputInvalid([self._renamed(problem) for problem in problems])

    def _renamed(self, problem: FieldProblem) -> FieldProblem:
        _, *place = problem.field.split(".")
        if not place:
            return FieldProblem(problem.type, "", problem.description)
        field = ".".join([self._sources.get(place[0], place[0]), *place[1:]])
        return FieldProblem(problem.type, field, problem.description.replace(problem.field, field))


def refusal(param: str, text: str) -> InputInvalid:
    """What is wrong with one parameter, to be raised."""
    return InputInvalid([FieldProblem("invalid", param, text)])


def objects(value: Any, param: str) -> list[dict[str, Any]]:
    """The value as a list of objects; else ``InputInvalid``."""
    if not isinstance(value, list):
        raise refusal(param, f"Invalid type. Expected: array, given: {type_name(type(value))}")
    for n, item in enumerate(cast(list[Any], value)):
        if not isinstance(item, dict):
            raise refusal(f"{param}.{n}", "Invalid type. Expected: object")
    return cast(list[dict[str, Any]], value)
