"""Inputs against the version's schema, in the words of section 11."""

from typing import Any

from stoker.api.inputs import InputSchema
from tests.contract.platform import Platform
from tests.contract.story import story

SCHEMAS = {
    "Input": {
        "type": "object",
        "title": "Input",
        "required": ["prompt"],
        "properties": {
            "prompt": {"type": "string", "title": "Prompt", "minLength": 2, "maxLength": 9, "x-order": 0},
            "steps": {"type": "integer", "minimum": 1, "maximum": 4, "default": 2},
            "scale": {"type": "number", "default": 1},
            "format": {"allOf": [{"$ref": "#/components/schemas/format"}], "default": "png"},
            "code": {"type": "string", "pattern": "^[a-z]+$", "default": "a"},
            "parts": {"type": "array", "items": {"type": "string"}, "minItems": 1, "default": ["x"]},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}], "default": 1},
            "image": {"type": "string", "format": "uri", "nullable": True, "default": None},
            "images": {
                "type": "array",
                "items": {"type": "string", "format": "uri"},
                "default": ["of the model.png"],
            },
            "seed": {"type": "integer", "title": "Seed"},
            "flag": {"type": "boolean", "default": False},
        },
    },
    "Output": {"type": "string"},
    "format": {"title": "format", "enum": ["jpg", "png"], "type": "string", "description": "An enumeration."},
}
GOOD = {"prompt": "kite"}
SCHEMA = InputSchema({"components": {"schemas": SCHEMAS}})


def problems(**given: Any) -> list[tuple[str, str, str]]:
    return [(p.type, p.field, p.description) for p in SCHEMA.problems(GOOD | given)]


def test_good_inputs() -> None:
    for given in (
        {"steps": 1, "scale": 2, "format": "jpg", "parts": ["a"], "either": "x", "flag": True},
        {"steps": 3.0},
        {"image": "https://example.com/a.png", "images": ["data:,a", "http://example.com/b"]},
        {"images": ["of the model.png"]},
        {"no_such_input": [1]},
    ):
        assert problems(**given) == []


def test_null_stands_for_not_given_where_that_is_allowed() -> None:
    assert problems(image=None, seed=None) == []
    assert problems(steps=None) == [
        ("invalid_type", "input.steps", "Invalid type. Expected: integer, given: null")
    ]
    assert problems(prompt=None)[0][0] == "invalid_type"


def test_each_word() -> None:
    for given, expected in (
        ({"steps": "5"}, ("invalid_type", "input.steps", "Invalid type. Expected: integer, given: string")),
        ({"steps": 5.5}, ("invalid_type", "input.steps", "Invalid type. Expected: integer, given: number")),
        ({"flag": 1}, ("invalid_type", "input.flag", "Invalid type. Expected: boolean, given: integer")),
        ({"steps": True}, ("invalid_type", "input.steps", "Invalid type. Expected: integer, given: boolean")),
        ({"steps": 0}, ("number_gte", "input.steps", "Must be greater than or equal to 1")),
        ({"steps": 5}, ("number_lte", "input.steps", "Must be less than or equal to 4")),
        ({"prompt": "a"}, ("string_gte", "input.prompt", "String length must be greater than or equal to 2")),
        (
            {"prompt": "a" * 10},
            ("string_lte", "input.prompt", "String length must be less than or equal to 9"),
        ),
        ({"code": "A"}, ("pattern", "input.code", "Does not match pattern '^[a-z]+$'")),
        (
            {"format": "gif"},
            ("enum", "input.format", 'input.format must be one of the following: "jpg", "png"'),
        ),
        ({"format": 3}, ("invalid_type", "input.format", "Invalid type. Expected: string, given: integer")),
        ({"parts": []}, ("array_min_items", "input.parts", "Array must have at least 1 items")),
        ({"parts": [1]}, ("invalid_type", "input.parts.0", "Invalid type. Expected: string, given: integer")),
        ({"image": "/etc/passwd"}, ("format", "input.image", "Does not match format 'uri'")),
        ({"images": ["data:,a", ""]}, ("format", "input.images.1", "Does not match format 'uri'")),
        ({"either": 1.5}, ("number_any_of", "input.either", "Must validate at least one schema (anyOf)")),
    ):
        assert problems(**given) == [expected]


def test_missing_input_is_a_problem_of_the_whole() -> None:
    assert [(p.type, p.field, p.description) for p in SCHEMA.problems({})] == [
        ("required", "input", "prompt is required")
    ]


def test_pattern_that_only_python_knows_does_not_stop_the_model() -> None:
    properties = {"x": {"type": "string", "pattern": r"(?P<a>x)\Z(?(a)y|z)", "minLength": 2}}
    schema = InputSchema({"components": {"schemas": {"Input": {"properties": properties}, "Output": {}}}})
    assert schema.problems({"x": "xx"}) == []
    assert len(schema.problems({"x": "x"})) == 1


@story
async def test_problem_answer(p: Platform) -> None:
    version = await p.version("sketch", input=SCHEMAS["Input"], schemas={"format": SCHEMAS["format"]})
    response = await p.client.post("/predictions", json={"version": version.id, "input": {"steps": 9}})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "title": "Input validation failed",
        "detail": "- input: prompt is required\n- input.steps: Must be less than or equal to 4\n",
        "status": 422,
        "invalid_fields": [
            {"type": "required", "field": "input", "description": "prompt is required"},
            {"type": "number_lte", "field": "input.steps", "description": "Must be less than or equal to 4"},
        ],
    }


@story
async def test_input_is_echoed_as_it_was_given(p: Platform) -> None:
    version = await p.version("sketch", input=SCHEMAS["Input"], schemas={"format": SCHEMAS["format"]})
    given = {"prompt": "Drache \u00fc\U0001f600", "no_such_input": 1, "seed": None, "scale": 1.50}
    made = await p.predict(version, given)
    assert made["input"] == given
