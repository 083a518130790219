"""Section 4.2 of the Cog contract: what ``Input(...)`` and defaults add to a property."""

from __future__ import annotations

import pytest

from stoker_worker import schema
from stoker_worker.errors import ModelError

INTEGER = {"type": "integer", "title": "X", "x-order": 0}
STRING = {"type": "string", "title": "X", "x-order": 0}
NUMBER = {"type": "number", "title": "X", "x-order": 0}
PATH = {"type": "string", "format": "uri", "title": "X", "x-order": 0}
SECRET = {
    "type": "string",
    "format": "password",
    "writeOnly": True,
    "x-cog-secret": True,
    "title": "X",
    "x-order": 0,
}

OPTIONS = [
    ("x: str = Input(default='a')", {**STRING, "default": "a"}),
    ("x: str = Input('a')", {**STRING, "default": "a"}),
    ("x: str = 'a'", {**STRING, "default": "a"}),
    ("x: float = Input(default=1)", {**NUMBER, "default": 1}),
    ("x: float = Input(default=0.5)", {**NUMBER, "default": 0.5}),
    (
        "x: bool = Input(default=1)",
        {"type": "boolean", "title": "X", "x-order": 0, "default": True},
    ),
    (
        "x: list[str] = Input(default=['a'])",
        {
            "type": "array",
            "items": {"type": "string"},
            "title": "X",
            "x-order": 0,
            "default": ["a"],
        },
    ),
    ("x: dict = {'a': 1}", {"type": "object", "title": "X", "x-order": 0, "default": {"a": 1}}),
    ("x: Path = Path('weights/x.bin')", {**PATH, "default": "weights/x.bin"}),
    (
        "x: int = Input(default=2**10, description='Si' + 'ze')",
        {**INTEGER, "default": 1024, "description": "Size"},
    ),
    ("x: str = Input(default='a\\nb')", {**STRING, "default": "a\nb"}),
    ("x: int = Input(default=CONSTANT)", {**INTEGER, "default": 7}),
    ("x: int = Holder.x", {**INTEGER, "default": 3, "minimum": 1}),
    ("x: int = Holder.make()", {**INTEGER, "default": 4}),
    ("x: int = Input(default=1, ge=0, le=1e3)", {**INTEGER, "default": 1, "minimum": 0, "maximum": 1000}),
    ("x: float = Input(default=1, ge=0.5)", {**NUMBER, "default": 1, "minimum": 0.5}),
    (
        "x: str = Input(default='ab', min_length=1, max_length=3)",
        {**STRING, "default": "ab", "minLength": 1, "maxLength": 3},
    ),
    ("x: str = Input(default='ab', regex='^a')", {**STRING, "default": "ab", "pattern": "^a"}),
    ("x: str = Input(default='a', deprecated=True)", {**STRING, "default": "a", "deprecated": True}),
    ("x: str = Input(default='a', deprecated=False)", {**STRING, "default": "a"}),
    ("x: Optional[Path] = Input(accept='image/*')", {**PATH, "nullable": True, "x-cog-accept": "image/*"}),
    ("x: Optional[int] = 5", {**INTEGER, "nullable": True, "default": 5}),
]


@pytest.mark.parametrize(("parameter", "expected"), OPTIONS)
def test_each_option_has_its_key(properties, parameter, expected):
    above = """
    CONSTANT = 7
    class Holder:
        x = Input(default=3, ge=1)
        @staticmethod
        def make():
            return Input(default=4)
    """
    inputs = properties(parameter, above=above)
    assert inputs["properties"]["x"] == expected
    assert "required" not in inputs


REQUIRED = [
    ("x: int", True, INTEGER),
    ("x: int = Input()", True, INTEGER),
    ("x: int = Input(description='No default')", True, {**INTEGER, "description": "No default"}),
    ("x: int = Input(...)", True, INTEGER),
    ("x: int = ...", True, INTEGER),
    ("x: Optional[int]", False, {**INTEGER, "nullable": True}),
    ("x: Optional[int] = Input()", False, {**INTEGER, "nullable": True}),
    ("x: Optional[int] = Input(default=None)", False, {**INTEGER, "nullable": True, "default": None}),
    ("x: Optional[int] = None", False, {**INTEGER, "nullable": True, "default": None}),
    ("x: int = Input(default=None)", False, INTEGER),
    ("x: int = Input(None, ge=1)", False, {**INTEGER, "minimum": 1}),
    ("x: str = None", False, STRING),
    ("x: Path = Input(default=None)", False, PATH),
    ("x: Secret", True, SECRET),
    ("x: Secret = Input(default=None)", False, {**SECRET, "nullable": True, "default": None}),
    ("x: Secret = None", False, {**SECRET, "nullable": True, "default": None}),
    ("x: Optional[Secret] = Input(default=None)", False, {**SECRET, "nullable": True, "default": None}),
    ("x: Secret = Secret('hidden')", False, SECRET),
    ("x: Optional[Secret] = Input(default=Secret('hidden'))", False, {**SECRET, "nullable": True}),
    ("x: FieldInfo = 1", None, None),
    ("x: int = FieldInfo(default=None)", True, INTEGER),
    ("x: int = FieldInfo(default=2)", False, {**INTEGER, "default": 2}),
]


@pytest.mark.parametrize(("parameter", "required", "expected"), REQUIRED)
def test_what_is_required_and_what_default_is_published(properties, parameter, required, expected):
    if expected is None:
        with pytest.raises(ModelError, match="unsupported type: FieldInfo"):
            properties(parameter)
        return
    inputs = properties(parameter)
    assert inputs["properties"]["x"] == expected
    assert inputs.get("required", []) == (["x"] if required else [])


CHOICES = [
    ("style: str = Input(choices=['plain', 'bold'])", "string", ["plain", "bold"], {}),
    ("style: str = Input(choices=('plain', 'bold'))", "string", ["plain", "bold"], {}),
    ("style: str = Input(choices=['one'])", "string", ["one"], {}),
    ("style: str = Input(choices={'b': 1, 'a': 2}.keys())", "string", ["b", "a"], {}),
    ("style: str = Input(choices=sorted(['b', 'a']))", "string", ["a", "b"], {}),
    ("style: int = Input(choices=[1, 2], default=1)", "integer", [1, 2], {"default": 1}),
    ("style: float = Input(choices=[0.5, 1])", "number", [0.5, 1], {}),
    ("style: str = Input(choices=['a'], description='Which')", "string", ["a"], {"description": "Which"}),
    (
        "style: Optional[str] = Input(choices=['a'], default=None)",
        "string",
        ["a"],
        {"nullable": True, "default": None},
    ),
    ("style: str = Input(choices=[e.value for e in Style])", "string", ["x", "y"], {}),
]


@pytest.mark.parametrize(("parameter", "kind", "values", "more"), CHOICES)
def test_choices_become_a_component_of_the_parameters_name(models, parameter, kind, values, more):
    schemas = models.schemas(parameter, above="class Style(str, enum.Enum):\n    a = 'x'\n    b = 'y'")
    assert schemas["style"] == {
        "title": "style",
        "description": "An enumeration.",
        "enum": values,
        "type": kind,
    }
    assert schemas["Input"]["properties"]["style"] == {
        "allOf": [{"$ref": "#/components/schemas/style"}],
        "x-order": 0,
        **more,
    }


def test_choices_of_a_list_are_those_of_its_items(models):
    schemas = models.schemas("tags: list[str] = Input(choices=['a', 'b'], default=['a'])")
    assert schemas["tags"]["enum"] == ["a", "b"]
    assert schemas["tags"]["type"] == "string"
    assert schemas["Input"]["properties"]["tags"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/tags"},
        "default": ["a"],
        "x-order": 0,
    }


@pytest.mark.parametrize("name", ["Input", "Output", "Status", "PredictionRequest", "TrainingInput"])
def test_choices_must_not_take_a_name_of_the_documents_own(models, name):
    with pytest.raises(ModelError, match=f"must not be called {name}"):
        models.schemas(f"{name}: str = cog.Input(choices=['a'])")


def test_a_name_of_the_documents_own_is_fine_without_choices(properties):
    assert properties("Status: str")["properties"]["Status"]["title"] == "Status"


REFUSED = [
    ("x: str = Input(ge=1)", "ge and le need an input of int or float"),
    ("x: bool = Input(le=1)", "ge and le need an input of int or float"),
    ("x: int = Input(min_length=1)", "min_length, max_length and regex need an input of str"),
    ("x: Path = Input(regex='a')", "min_length, max_length and regex need an input of str"),
    ("x: Secret = Input(max_length=9)", "min_length, max_length and regex need an input of str"),
    ("x: int = Input(ge='1')", "ge and le must be numbers"),
    ("x: float = Input(le=float('inf'))", "a limit of input x is not a JSON value: inf"),
    ("x: str = Input(min_length=-1)", "min_length and max_length must be whole numbers from 0 on"),
    ("x: str = Input(regex='(')", "regex '(' is not a regular expression"),
    ("x: str = Input(choices=[])", "the choices of input x are empty"),
    ("x: str = Input(choices=['a', 1])", "choice 1 of input x is not of type string"),
    ("x: int = Input(choices=[True])", "choice True of input x is not of type integer"),
    ("x: Path = Input(choices=['a'])", "choices need an input of str, int, float or bool"),
    ("x: dict = Input(choices=['a'])", "choices need an input of str, int, float or bool"),
    ("x: str | int = Input(ge=1)", "constraints and choices are not supported on union inputs"),
    ("x: str | int = Input(choices=[1])", "constraints and choices are not supported on union inputs"),
    ("x: str = Input(accept='image/*')", "accept is only valid on Path or File inputs (parameter 'x')"),
    ("x: dict = Input(default=object)", "the default of input x is not a JSON value"),
]


@pytest.mark.parametrize(("parameter", "message"), REFUSED)
def test_an_option_on_the_wrong_type_is_refused_with_the_reason(properties, parameter, message):
    with pytest.raises(ModelError) as raised:
        properties(parameter)
    assert message in str(raised.value)


WARNINGS = [
    ("x: int = Input(default=0, ge=1)", "the default of input x, 0, is less than its minimum"),
    ("x: float = Input(default=9.5, le=9)", "the default of input x, 9.5, is greater than its maximum"),
    (
        "x: str = Input(default='', min_length=1)",
        "the default of input x, '', is shorter than its min_length",
    ),
    (
        "x: str = Input(default='ab', max_length=1)",
        "the default of input x, 'ab', is longer than its max_length",
    ),
    ("x: str = Input(default='b', regex='^a')", "the default of input x, 'b', does not match its regex"),
    ("x: str = Input(default='c', choices=['a'])", "the default of input x, 'c', is not one of its choices"),
]


@pytest.mark.parametrize(("parameter", "warning"), WARNINGS)
def test_a_default_that_breaks_its_own_rule_is_published_and_told(models, parameter, warning):
    document, warnings = schema.document(models.function(parameter))
    assert "default" in document["components"]["schemas"]["Input"]["properties"]["x"]
    assert warnings == [warning]
