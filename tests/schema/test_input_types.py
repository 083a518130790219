"""Section 4.1 of the Cog contract: from an annotation to a property."""

from __future__ import annotations

import pytest

from stoker_worker import schema
from stoker_worker.errors import ModelError

URI = {"type": "string", "format": "uri"}
SECRET = {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True}
OBJECT = {"type": "object"}

TYPES = [
    ("str", {"type": "string"}),
    ("int", {"type": "integer"}),
    ("float", {"type": "number"}),
    ("bool", {"type": "boolean"}),
    ("Path", URI),
    ("cog.Path", URI),
    ("pathlib.Path", URI),
    ("os.PathLike", URI),
    ("os.PathLike[str]", URI),
    ("File", URI),
    ("Secret", SECRET),
    ("Any", OBJECT),
    ("dict", OBJECT),
    ("Dict", OBJECT),
    ("dict[str, int]", OBJECT),
    ("Dict[str, Any]", OBJECT),
    ("Shape", OBJECT),
    ("list[str]", {"type": "array", "items": {"type": "string"}}),
    ("List[int]", {"type": "array", "items": {"type": "integer"}}),
    ("list[Path]", {"type": "array", "items": URI}),
    ("list[Secret]", {"type": "array", "items": SECRET}),
    ("list[dict]", {"type": "array", "items": OBJECT}),
    ("list[dict[str, int]]", {"type": "array", "items": OBJECT}),
    ("list", {"type": "array", "items": {}}),
    ("List", {"type": "array", "items": {}}),
    ("Annotated[Foreign, Opaque]", OBJECT),
    ("Annotated[list[Foreign], Opaque]", {"type": "array", "items": OBJECT}),
    ("list[Annotated[Foreign, Opaque]]", {"type": "array", "items": OBJECT}),
    ("Annotated[int, 'a note']", {"type": "integer"}),
    ("Annotated[list[float], 'a note']", {"type": "array", "items": {"type": "number"}}),
    ("'int'", {"type": "integer"}),
    ("'list[Path]'", {"type": "array", "items": URI}),
    ("Named", {"type": "string"}),
]

NULLABLE = [
    ("Optional[str]", {"type": "string"}),
    ("str | None", {"type": "string"}),
    ("Union[int, None]", {"type": "integer"}),
    ("Union[None, int]", {"type": "integer"}),
    ("Optional[Path]", URI),
    ("Optional[list[str]]", {"type": "array", "items": {"type": "string"}}),
    ("Annotated[Optional[float], 'a note']", {"type": "number"}),
    ("Annotated[Optional[Foreign], Opaque]", OBJECT),
    ("Annotated[Optional[list[Foreign]], Opaque]", {"type": "array", "items": OBJECT}),
    ("Optional[Annotated[list[Foreign], Opaque]]", {"type": "array", "items": OBJECT}),
    ("'Optional[int]'", {"type": "integer"}),
]

UNIONS = [
    ("str | int", [{"type": "string"}, {"type": "integer"}]),
    ("Union[list[str], str]", [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]),
    ("dict | str", [OBJECT, {"type": "string"}]),
]

REFUSED = [
    ("Literal['a', 'b']", "unsupported type: Literal['a', 'b']"),
    ("Colour", "unsupported type: Colour"),
    ("Text", "unsupported type: Text"),
    ("Point", "unsupported type: Point"),
    ("Model", "unsupported type: Model"),
    ("tuple", "unsupported type: tuple"),
    ("tuple[int, int]", "unsupported type: tuple[int, int]"),
    ("set[str]", "unsupported type: set[str]"),
    ("bytes", "unsupported type: bytes"),
    ("datetime.datetime", "unsupported type: datetime"),
    ("None", "unsupported type: None"),
    ("list[Optional[int]]", "unsupported type: nested generics like List[Optional[X]] are not supported"),
    ("list[list[int]]", "unsupported type: nested generics like List[Optional[X]] are not supported"),
    ("list[int | str]", "unsupported type: nested generics like List[Optional[X]] are not supported"),
    ("Union[Path, str]", "unsupported type: Path is not supported in union inputs"),
    ("Union[str, File, None]", "unsupported type: File is not supported in union inputs"),
    ("Secret | int", "unsupported type: Secret is not supported in union inputs"),
]

ABOVE = """
import datetime
class Foreign: ...
class Shape(TypedDict):
    width: int
class Colour(enum.Enum):
    red = "red"
class Text(str): ...
class Model(BaseModel):
    a: int
@dataclasses.dataclass
class Point:
    x: int
Named = NewType("Named", str)
"""


@pytest.mark.parametrize(("annotation", "expected"), TYPES)
def test_the_type_part_follows_the_annotation(properties, annotation, expected):
    schema = properties(f"x: {annotation}", above=ABOVE)
    assert schema == {
        "properties": {"x": {**expected, "title": "X", "x-order": 0}},
        "required": ["x"],
        "title": "Input",
        "type": "object",
    }


@pytest.mark.parametrize(("annotation", "expected"), NULLABLE)
def test_none_makes_it_nullable_and_not_required(properties, annotation, expected):
    schema = properties(f"x: {annotation}", above=ABOVE)
    assert schema["properties"]["x"] == {**expected, "nullable": True, "title": "X", "x-order": 0}
    assert "required" not in schema


@pytest.mark.parametrize(("annotation", "members"), UNIONS)
def test_a_union_lists_its_members(properties, annotation, members):
    schema = properties(f"x: {annotation}", above=ABOVE)
    assert schema["properties"]["x"] == {"anyOf": members, "title": "X", "x-order": 0}
    assert schema["required"] == ["x"]


@pytest.mark.parametrize(("annotation", "members"), UNIONS)
def test_a_union_with_none_marks_each_member_and_stays_required(properties, annotation, members):
    schema = properties(f"x: Union[{annotation}, None]", above=ABOVE)
    marked = [{**member, "nullable": True} for member in members]
    assert schema["properties"]["x"] == {"anyOf": marked, "nullable": True, "title": "X", "x-order": 0}
    assert schema["required"] == ["x"]


@pytest.mark.parametrize(("annotation", "message"), REFUSED)
def test_what_cannot_be_an_input_is_refused_by_name(properties, annotation, message):
    with pytest.raises(ModelError) as raised:
        properties(f"x: {annotation}", above=ABOVE)
    assert str(raised.value) == f"{message} (input x)"


def test_annotations_of_text_mean_the_same(models):
    source = """
        from __future__ import annotations
        from typing import Optional
        from cog import BaseRunner, Path
        class Runner(BaseRunner):
            class Kind(str): ...
            def run(self, image: Path, seed: Optional[int] = None, many: list[Path] = []) -> str: ...
    """
    document, _ = schema.document(models.load(source))
    assert document["components"]["schemas"]["Input"]["properties"] == {
        "image": {**URI, "title": "Image", "x-order": 0},
        "seed": {"type": "integer", "nullable": True, "default": None, "title": "Seed", "x-order": 1},
        "many": {"type": "array", "items": URI, "default": [], "title": "Many", "x-order": 2},
    }


def test_a_type_with_a_coder_is_an_object(properties):
    above = """
    import cog.coder
    class Matrix: ...
    class MatrixCoder(cog.coder.Coder):
        @staticmethod
        def factory(tpe):
            return MatrixCoder() if tpe is Matrix else None
        def encode(self, x): ...
        def decode(self, x): ...
    cog.coder.Coder.register(MatrixCoder)
    """
    schema = properties("x: Matrix, many: list[Matrix]", above=above)
    assert schema["properties"]["x"]["type"] == "object"
    assert schema["properties"]["many"]["items"] == OBJECT


TITLES = [
    ("prompt", "Prompt"),
    ("num_outputs", "Num Outputs"),
    ("loraURL", "LoraURL"),
    ("num_2nd_pass", "Num 2nd Pass"),
    ("HF_token", "HF Token"),
    ("x2y", "X2y"),
]


@pytest.mark.parametrize(("name", "title"), TITLES)
def test_titles_keep_what_is_after_the_first_letter(properties, name, title):
    assert properties(f"{name}: str")["properties"][name]["title"] == title


def test_order_counts_from_zero_without_self_and_star_arguments(models):
    source = """
        from cog import BaseRunner
        class Runner(BaseRunner):
            def run(self, a: str, b: int = 1, *args, c: float, d: bool = True, **kwargs) -> str: ...
    """
    inputs = schema.document(models.load(source))[0]["components"]["schemas"]["Input"]
    assert {name: each["x-order"] for name, each in inputs["properties"].items()} == {
        "a": 0,
        "b": 1,
        "c": 2,
        "d": 3,
    }
    assert inputs["required"] == ["a", "c"]
