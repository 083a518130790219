"""Section 5.1 of the Cog contract: from the return annotation to the ``Output`` component."""

from __future__ import annotations

import pytest

from stoker_worker.errors import ModelError

STRING = {"type": "string"}
URI = {"type": "string", "format": "uri"}
OBJECT = {"type": "object"}
ITERATOR = {"x-cog-array-type": "iterator"}
CONCATENATED = {"type": "array", "items": STRING, "x-cog-array-display": "concatenate", **ITERATOR}
POINT = {
    "type": "object",
    "properties": {
        "x": {"type": "integer", "title": "X"},
        "label_text": {"type": "string", "nullable": True, "title": "Label Text"},
    },
    "required": ["x"],
}

ABOVE = """
class Foreign: ...
class Point(BaseModel):
    x: int
    label_text: Optional[str]
class Colour(enum.Enum):
    red = "r"
    blue = "b"
class Mixed(enum.Enum):
    a = "a"
    b = 1
class Tag(str): ...
Named = NewType("Named", int)
"""

TYPES = [
    ("str", STRING),
    ("int", {"type": "integer"}),
    ("float", {"type": "number"}),
    ("bool", {"type": "boolean"}),
    ("Path", URI),
    ("pathlib.Path", URI),
    ("File", URI),
    ("Secret", {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True}),
    ("Any", OBJECT),
    ("dict", OBJECT),
    ("Dict", OBJECT),
    ("dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
    (
        "Dict[str, list[dict[str, float]]]",
        {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": {"type": "object", "additionalProperties": {"type": "number"}},
            },
        },
    ),
    ("dict[str, Any]", {"type": "object", "additionalProperties": OBJECT}),
    ("list", {"type": "array", "items": OBJECT}),
    ("List", {"type": "array", "items": OBJECT}),
    ("list[str]", {"type": "array", "items": STRING}),
    ("List[Path]", {"type": "array", "items": URI}),
    ("list[list[int]]", {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}),
    ("list[Point]", {"type": "array", "items": POINT}),
    ("Point", POINT),
    ("'Point'", POINT),
    ("Iterator[str]", {"type": "array", "items": STRING, **ITERATOR}),
    ("typing.Iterator[Path]", {"type": "array", "items": URI, **ITERATOR}),
    ("collections.abc.Iterator[int]", {"type": "array", "items": {"type": "integer"}, **ITERATOR}),
    ("AsyncIterator[str]", {"type": "array", "items": STRING, **ITERATOR}),
    ("collections.abc.AsyncIterator[str]", {"type": "array", "items": STRING, **ITERATOR}),
    ("Iterator[Point]", {"type": "array", "items": POINT, **ITERATOR}),
    (
        "Iterator[list[int]]",
        {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}, **ITERATOR},
    ),
    ("ConcatenateIterator[str]", CONCATENATED),
    ("ConcatenateIterator", CONCATENATED),
    ("AsyncConcatenateIterator[str]", CONCATENATED),
    ("cog.ConcatenateIterator[str]", CONCATENATED),
    ("Annotated[Foreign, Opaque]", OBJECT),
    ("Annotated[list[Foreign], Opaque]", {"type": "array", "items": OBJECT}),
    ("list[Annotated[Foreign, Opaque]]", {"type": "array", "items": OBJECT}),
    ("Iterator[Annotated[Foreign, Opaque]]", {"type": "array", "items": OBJECT, **ITERATOR}),
    ("Annotated[str, 'a note']", STRING),
    ("Named", {"type": "integer"}),
]

EXTENSIONS = [
    ("Generator[str, None, None]", {"type": "array", "items": STRING, **ITERATOR}),
    ("collections.abc.Generator[Path, None, None]", {"type": "array", "items": URI, **ITERATOR}),
    ("AsyncGenerator[str, None]", {"type": "array", "items": STRING, **ITERATOR}),
    ("Iterable[str]", {"type": "array", "items": STRING, **ITERATOR}),
    ("AsyncIterable[int]", {"type": "array", "items": {"type": "integer"}, **ITERATOR}),
    ("Iterator", {"type": "array", "items": OBJECT, **ITERATOR}),
    ("Optional[str]", {**STRING, "nullable": True}),
    ("Path | None", {**URI, "nullable": True}),
    ("Optional[list[str]]", {"type": "array", "items": STRING, "nullable": True}),
    ("list[Optional[str]]", {"type": "array", "items": {**STRING, "nullable": True}}),
    ("Optional[Iterator[str]]", {"type": "array", "items": STRING, **ITERATOR, "nullable": True}),
    ("Annotated[Optional[Foreign], Opaque]", {**OBJECT, "nullable": True}),
    ("str | int", {"anyOf": [STRING, {"type": "integer"}]}),
    ("Union[str, Path, None]", {"anyOf": [STRING, URI], "nullable": True}),
    ("None", {}),
    ("Colour", {"enum": ["r", "b"], "type": "string"}),
    ("Mixed", {"enum": ["a", 1]}),
    ("Literal['a', 'b']", {"enum": ["a", "b"], "type": "string"}),
    ("list[Literal[1, 2]]", {"type": "array", "items": {"enum": [1, 2], "type": "integer"}}),
    ("Tag", STRING),
]

REFUSED = [
    ("ConcatenateIterator[int]", "ConcatenateIterator element type must be str, got int"),
    ("AsyncConcatenateIterator[Path]", "ConcatenateIterator element type must be str, got Path"),
    ("tuple[int, str]", "unsupported output type: tuple[int, str]"),
    ("tuple", "unsupported output type: tuple"),
    ("set[str]", "unsupported output type: set[str]"),
    ("bytes", "unsupported output type: bytes"),
    ("Foreign", "unsupported output type: Foreign"),
    ("list[Foreign]", "unsupported output type: Foreign"),
    ("BaseModel", "BaseModel itself is no output type: make a subclass with fields"),
    ("list[Iterator[str]]", "unsupported output type: Iterator[str] inside another type"),
]


@pytest.mark.parametrize(("annotation", "expected"), TYPES + EXTENSIONS)
def test_the_output_follows_the_return_annotation(output, annotation, expected):
    assert output(annotation, ABOVE) == {**expected, "title": "Output"}


@pytest.mark.parametrize(("annotation", "message"), REFUSED)
def test_what_cannot_be_an_output_is_refused_by_name(output, annotation, message):
    with pytest.raises(ModelError) as raised:
        output(annotation, ABOVE)
    assert str(raised.value) == message


def test_a_type_with_a_coder_is_an_object(output):
    above = """
    import cog.coder
    class Sound: ...
    class SoundCoder(cog.coder.Coder):
        @staticmethod
        def factory(tpe):
            return SoundCoder() if tpe is Sound else None
        def encode(self, x): ...
        def decode(self, x): ...
    cog.coder.Coder.register(SoundCoder)
    """
    assert output("Sound", above) == {"type": "object", "title": "Output"}
