"""The fixed part of the OpenAPI document that ``cog build`` writes: paths and components around the model.

Called by ``schema``. Each function gives a fresh value. Source: section 5.5 of the Cog contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_PREFIX = "#/components/schemas/"


@dataclass(frozen=True)
class Kind:
    """What is made: a prediction or a training."""

    noun: str
    verb: str
    input: str
    output: str

    @property
    def request(self) -> str:
        return f"{self.noun.capitalize()}Request"

    @property
    def response(self) -> str:
        return f"{self.noun.capitalize()}Response"


PREDICTION = Kind(noun="prediction", verb="predict", input="Input", output="Output")
TRAINING = Kind(noun="training", verb="train", input="TrainingInput", output="TrainingOutput")
_SHARED = ("Status", "HTTPValidationError", "ValidationError")
RESERVED = frozenset(
    name for kind in (PREDICTION, TRAINING) for name in (kind.input, kind.output, kind.request, kind.response)
).union(_SHARED)
"""Component names that a parameter with choices must not have."""


def components(kind: Kind) -> dict[str, Any]:
    """All components but those that come from the model."""
    return {
        kind.request: _object(kind.request, {"id": _text("Id"), "input": _ref(kind.input)}),
        kind.response: _object(kind.response, _response(kind)),
        "Status": {
            "description": "An enumeration.",
            "enum": ["starting", "processing", "succeeded", "canceled", "failed"],
            "title": "Status",
            "type": "string",
        },
        "HTTPValidationError": _object(
            "HTTPValidationError",
            {"detail": {"items": _ref("ValidationError"), "title": "Detail", "type": "array"}},
        ),
        "ValidationError": {
            **_object("ValidationError", _problem()),
            "required": ["loc", "msg", "type"],
        },
    }


def paths(kind: Kind, *, streaming: bool) -> dict[str, Any]:
    """All paths; ``streaming`` marks the one that runs the model."""
    noun, verb = kind.noun, kind.verb
    run: dict[str, Any] = {
        "description": f"Run a single {noun} on the model",
        "operationId": f"{verb}_{noun}s_post",
        "requestBody": {"content": _json(_ref(kind.request))},
        "responses": {"200": _success(_ref(kind.response)), "422": _invalid()},
        "summary": verb.capitalize(),
    }
    if streaming:
        run["x-cog-streaming"] = True
    return {
        "/": {"get": _plain("Root", "root__get")},
        "/health-check": {"get": _plain("Healthcheck", "healthcheck_health_check_get")},
        f"/{noun}s": {"post": run},
        f"/{noun}s/{{{noun}_id}}/cancel": {"post": _cancel(noun)},
    }


def _cancel(noun: str) -> dict[str, Any]:
    return {
        "operationId": f"cancel_{noun}s__{noun}_id__cancel_post",
        "parameters": [
            {
                "in": "path",
                "name": f"{noun}_id",
                "required": True,
                "schema": _text(f"{noun.capitalize()} Id"),
            }
        ],
        "responses": {"200": _success({}), "422": _invalid()},
        "summary": "Cancel",
    }


def _response(kind: Kind) -> dict[str, Any]:
    return {
        "completed_at": _time("Completed At"),
        "created_at": _time("Created At"),
        "error": _text("Error"),
        "id": _text("Id"),
        "input": _ref(kind.input),
        "logs": _text("Logs"),
        "metrics": {"title": "Metrics", "type": "object"},
        "output": _ref(kind.output),
        "started_at": _time("Started At"),
        "status": _text("Status"),
        "version": _text("Version"),
    }


def _problem() -> dict[str, Any]:
    place = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    return {
        "loc": {"items": place, "title": "Location", "type": "array"},
        "msg": _text("Message"),
        "type": _text("Error Type"),
    }


def _object(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"properties": properties, "title": title, "type": "object"}


def _text(title: str) -> dict[str, Any]:
    return {"title": title, "type": "string"}


def _time(title: str) -> dict[str, Any]:
    return {"format": "date-time", "title": title, "type": "string"}


def _ref(component: str) -> dict[str, Any]:
    return {"$ref": _PREFIX + component}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _success(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": _json(schema), "description": "Successful Response"}


def _invalid() -> dict[str, Any]:
    return {"content": _json(_ref("HTTPValidationError")), "description": "Validation Error"}


def _plain(summary: str, operation: str) -> dict[str, Any]:
    return {"operationId": operation, "responses": {"200": _success({})}, "summary": summary}
