"""Section 5.1 of the Cog contract: outputs with fields, of whatever kind of class."""

from __future__ import annotations

import pytest

from stoker_worker.errors import ModelError

INTEGER = {"type": "integer"}
STRING = {"type": "string"}


def field(schema, title, **more):
    return {**schema, "title": title, **more}


CLASSES = {
    "cog": """
        class Deep(BaseModel):
            a_b: int
        class Model(BaseModel):
            first: str
            deep: Deep
            many: list[Deep]
            maybe: Optional[int]
            given: int = 3
            made: list[str] = dataclasses.field(default_factory=list)
            def method(self): ...
    """,
    "dataclass": """
        @dataclasses.dataclass
        class Deep:
            a_b: int
        @dataclasses.dataclass
        class Model:
            first: str
            deep: Deep
            many: list[Deep]
            maybe: Optional[int]
            given: int = 3
            made: list[str] = dataclasses.field(default_factory=list)
            constant: ClassVar[int] = 1
    """,
    "pydantic": """
        import pydantic
        class Deep(pydantic.BaseModel):
            a_b: int
        class Model(pydantic.BaseModel):
            first: str
            deep: Deep
            many: list[Deep]
            maybe: Optional[int]
            given: int = 3
            made: list[str] = pydantic.Field(default_factory=list)
            hidden: str = pydantic.Field("", exclude=True)
            model_config = {"frozen": True}
    """,
    "pydantic.v1": """
        import pydantic.v1
        class Deep(pydantic.v1.BaseModel):
            a_b: int
        class Model(pydantic.v1.BaseModel):
            first: str
            deep: Deep
            many: list[Deep]
            maybe: Optional[int]
            given: int = 3
            made: list[str] = pydantic.v1.Field(default_factory=list)
            class Config:
                frozen = True
    """,
}


@pytest.mark.parametrize("source", CLASSES.values(), ids=CLASSES)
def test_fields_become_properties_and_nested_models_are_inlined(output, source):
    deep = {"type": "object", "properties": {"a_b": field(INTEGER, "A B")}, "required": ["a_b"]}
    assert output("Model", source) == {
        "type": "object",
        "title": "Output",
        "properties": {
            "first": field(STRING, "First"),
            "deep": field(deep, "Deep"),
            "many": field({"type": "array", "items": deep}, "Many"),
            "maybe": field(INTEGER, "Maybe", nullable=True),
            "given": field(INTEGER, "Given"),
            "made": field({"type": "array", "items": STRING}, "Made"),
        },
        "required": ["first", "deep", "many", "made"],
    }


INHERITING = {
    "cog": "class Parent(BaseModel):\n    a: int\nclass Model(Parent):\n    b: str = 'b'",
    "dataclass": """
        @dataclasses.dataclass
        class Parent:
            a: int
        @dataclasses.dataclass
        class Model(Parent):
            b: str = 'b'
    """,
    "pydantic": """
        import pydantic
        class Parent(pydantic.BaseModel):
            a: int
        class Model(Parent):
            b: str = 'b'
    """,
    "TypedDict": """
        class Parent(TypedDict):
            a: int
        class Model(Parent, total=False):
            b: str
    """,
}


@pytest.mark.parametrize("source", INHERITING.values(), ids=INHERITING)
def test_inherited_fields_are_there(output, source):
    assert output("Model", source) == {
        "type": "object",
        "title": "Output",
        "properties": {"a": field(INTEGER, "A"), "b": field(STRING, "B")},
        "required": ["a"],
    }


@pytest.mark.parametrize(
    "base", ["BaseModel", "pydantic.BaseModel", "pydantic.v1.BaseModel"], ids=lambda base: base
)
def test_a_cycle_ends_as_a_plain_object(output, base):
    source = f"""
        import pydantic, pydantic.v1
        class Model({base}):
            name: str
            children: "list[Model]"
    """
    inner = {"type": "array", "items": {"type": "object"}}
    assert output("Model", source)["properties"]["children"] == field(inner, "Children")


TYPED_DICTS = [
    ("class Model(TypedDict):\n    a: int\n    b: Optional[str]", ["a", "b"]),
    ("class Model(TypedDict):\n    a: int\n    b: NotRequired[Optional[str]]", ["a"]),
    ("class Model(TypedDict, total=False):\n    a: int\n    b: Optional[str]", None),
    ("class Model(TypedDict, total=False):\n    a: Required[int]\n    b: Optional[str]", ["a"]),
    ("class Model(TypedDict, total=False):\n    a: 'Required[int]'\n    b: 'Optional[str]'", ["a"]),
    ("class Model(TypedDict):\n    a: int\n    b: 'NotRequired[Optional[str]]'", ["a"]),
]


@pytest.mark.parametrize("module", ["typing", "typing_extensions"])
@pytest.mark.parametrize(("source", "required"), TYPED_DICTS)
def test_a_typed_dict_says_itself_what_is_required(output, source, required, module):
    names = f"from {module} import NotRequired, Required, TypedDict\n"
    schema = output("Model", names + source)
    assert schema["properties"] == {"a": field(INTEGER, "A"), "b": field(STRING, "B", nullable=True)}
    assert schema.get("required") == required


def test_a_root_model_is_its_value(output):
    source = "import pydantic\nclass Model(pydantic.RootModel[list[int]]): ..."
    assert output("Model", source) == {"type": "array", "items": INTEGER, "title": "Output"}


def test_a_generic_pydantic_model_has_the_type_it_was_given(output):
    source = """
        import pydantic
        T = TypeVar("T")
        class Box(pydantic.BaseModel, Generic[T]):
            value: T
    """
    assert output("Box[int]", source)["properties"] == {"value": field(INTEGER, "Value")}


@pytest.mark.parametrize("base", ["BaseModel", "pydantic.BaseModel", "pydantic.v1.BaseModel"])
def test_an_opaque_field_is_an_object(output, base):
    source = f"""
        import pydantic, pydantic.v1
        class Model({base}):
            a: Annotated[dict, Opaque]
            b: Annotated[Optional[dict], Opaque]
            c: list[Annotated[dict, Opaque]]
    """
    properties = output("Model", source)["properties"]
    assert properties["a"] == field({"type": "object"}, "A")
    assert properties["b"] == field({"type": "object"}, "B", nullable=True)
    assert properties["c"] == field({"type": "array", "items": {"type": "object"}}, "C")


def test_a_field_of_an_unsupported_type_is_named(output):
    with pytest.raises(ModelError, match="field 'raw' of Model: unsupported output type: bytes"):
        output("Model", "class Model(BaseModel):\n    raw: bytes")


@pytest.mark.parametrize("base", ["pydantic.BaseModel", "pydantic.v1.BaseModel"])
def test_the_base_class_itself_is_refused(output, base):
    with pytest.raises(ModelError, match="BaseModel itself is no output type"):
        output(base, "import pydantic, pydantic.v1")


def test_fields_that_cannot_be_resolved_are_told(output):
    with pytest.raises(
        ModelError, match="the fields of Model cannot be resolved: name 'Gone' is not defined"
    ):
        output("Model", "class Model(BaseModel):\n    a: 'Gone'")
