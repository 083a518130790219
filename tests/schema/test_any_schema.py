"""Whatever a model says, its schema is valid and agrees with itself."""

from __future__ import annotations

import inspect
import json
import keyword
from typing import Any

import jsonschema_rs
from hypothesis import given
from hypothesis import strategies as st

from stoker_worker import signature
from stoker_worker.schema_inputs import inputs
from stoker_worker.schema_outputs import output
from stoker_worker.sdk import cog

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name)
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(-1000, 1000),
    float: st.floats(-1000, 1000),
    bool: st.booleans(),
}


@st.composite
def scalar_inputs(draw: st.DrawFn) -> tuple[Any, Any]:
    """An annotation and a default for it: a value, None, an ``Input`` with any of its options, or nothing."""
    scalar = draw(st.sampled_from(list(SCALARS)))
    values = SCALARS[scalar]
    annotation = draw(st.sampled_from([scalar, scalar | None, list[scalar], list[scalar] | None]))
    is_list = "list" in str(annotation)
    default = draw(st.none() | (st.lists(values, max_size=3) if is_list else values))
    options: dict[str, Any] = draw(
        st.fixed_dictionaries({}, optional={"description": st.text(), "deprecated": st.booleans()})
    )
    if draw(st.booleans()):
        options["choices"] = draw(st.lists(values, min_size=1, max_size=4))
    elif scalar in (int, float):
        options |= draw(st.fixed_dictionaries({}, optional={"ge": values, "le": values}))
    elif scalar is str:
        lengths = st.integers(0, 9)
        options |= draw(st.fixed_dictionaries({}, optional={"min_length": lengths, "max_length": lengths}))
    written = [inspect.Parameter.empty, default, cog.Input(**options), cog.Input(default, **options)]
    return annotation, draw(st.sampled_from(written))


OTHERS = st.sampled_from([cog.Path, cog.File | None, cog.Secret, dict, Any, list[cog.Path], str | int]).map(
    lambda annotation: (annotation, inspect.Parameter.empty)
)


def function_of(written: dict[str, tuple[Any, Any]]) -> Any:
    """A function with these parameters, keyword-only so that any order of defaults is allowed."""

    def run(**_: Any) -> None: ...

    kind = inspect.Parameter.KEYWORD_ONLY
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, kind, annotation=annotation, default=default)
            for name, (annotation, default) in written.items()
        ]
    )
    run.__annotations__ = {name: annotation for name, (annotation, _) in written.items()}
    return run


@given(st.dictionaries(NAMES, scalar_inputs() | OTHERS, max_size=6))
def test_an_input_schema_is_a_valid_one_that_names_every_parameter(written):
    made = inputs(signature.parameters(function_of(written)))
    document = {**made.component("Input"), "components": {"schemas": made.choices}}
    assert json.loads(json.dumps(document)) == document
    jsonschema_rs.meta.validate(document)
    jsonschema_rs.validator_for(document)
    assert list(made.properties) == list(written)
    assert [each["x-order"] for each in made.properties.values()] == list(range(len(written)))
    assert set(made.required) <= set(written)
    assert not any("default" in made.properties[name] for name in made.required)


@given(scalar_inputs())
def test_a_default_that_nobody_warned_of_fits_its_own_schema(written):
    made = inputs(signature.parameters(function_of({"x": written})))
    default = made.properties["x"].get("default")
    if default is None or made.warnings:
        return
    document = {**made.component("Input"), "components": {"schemas": made.choices}}
    jsonschema_rs.validator_for(document).validate({"x": default})


OUTPUTS = st.recursive(
    st.sampled_from([str, int, float, bool, cog.Path, cog.Secret, dict, Any, type(None)]),
    lambda inner: st.one_of(
        inner.map(lambda each: list[each]),
        inner.map(lambda each: dict[str, each]),
        inner.map(lambda each: each | None),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1] if pair[0] is not Any else pair[1]),
    ),
    max_leaves=6,
)


@given(OUTPUTS)
def test_an_output_schema_is_a_valid_one(annotation):
    schema = output(annotation)
    assert schema["title"] == "Output"
    assert json.loads(json.dumps(schema)) == schema
    jsonschema_rs.meta.validate(schema)
