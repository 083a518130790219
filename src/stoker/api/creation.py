"""What a client asks for when it creates a prediction: the body of section 5.5, checked."""

from typing import Any, cast

import msgspec

from stoker.api.http import bodies
from stoker.api.words import type_name
from stoker.core.errors import FieldProblem, InputInvalid
from stoker.core.prediction import Kind
from stoker.core.settings import Settings
from stoker.core.weblinks import leads_somewhere

EVENTS = ("start", "output", "logs", "completed")
_ALLOWED = ", ".join(f'"{event}"' for event in EVENTS)


class ModelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Posted to a model or deployment. ``stream`` is obsolete and means nothing."""

    input: msgspec.Raw
    webhook: str | None = None
    webhook_events_filter: list[str] | None = None
    webhook_completed: str | None = None
    stream: bool | None = None


class VersionBody(ModelBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Posted to ``/predictions``."""

    version: str


class TrainingBody(ModelBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Posted to a version's ``/trainings``; the Go client repeats the version, which the path names."""

    destination: str
    version: str | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A body that was found good, but for the input's own schema."""

    version: str | None
    raw_input: msgspec.Raw
    input: dict[str, Any]
    webhook: str | None
    webhook_events: tuple[str, ...]
    destination: str | None = None
    """Of a training: the model (``owner/name``) that is to get the new version."""

    @property
    def kind(self) -> Kind:
        return "prediction" if self.destination is None else "training"


_model_body = msgspec.json.Decoder(ModelBody)
_version_body = msgspec.json.Decoder(VersionBody)
_training_body = msgspec.json.Decoder(TrainingBody)


def to_version(body: bytes, settings: Settings) -> Wanted:
    """Reads the body of a create that names its version."""
    given = bodies.decode(body, _version_body, VersionBody)
    return _wanted(given, given.version, settings)


def to_model(body: bytes, settings: Settings) -> Wanted:
    """Reads the body of a create whose path says what runs."""
    return _wanted(bodies.decode(body, _model_body, ModelBody), None, settings)


def to_training(body: bytes, settings: Settings) -> Wanted:
    """Reads the body of a training."""
    given = bodies.decode(body, _training_body, TrainingBody)
    return msgspec.structs.replace(_wanted(given, None, settings), destination=given.destination)


def _wanted(body: ModelBody, version: str | None, settings: Settings) -> Wanted:
    webhook, events = body.webhook, tuple(body.webhook_events_filter or ())
    if webhook is None and body.webhook_completed is not None:
        webhook, events = body.webhook_completed, ("completed",)
    problems = [
        *_webhook_problems("webhook", body.webhook, settings),
        *_webhook_problems("webhook_completed", body.webhook_completed, settings),
        *_event_problems(events),
    ]
    if problems:
        raise InputInvalid(problems)
    return Wanted(
        version=version,
        raw_input=body.input,
        input=_input(body.input),
        webhook=webhook,
        webhook_events=events,
    )


def _input(raw: msgspec.Raw) -> dict[str, Any]:
    value = bodies.json(raw)
    if not isinstance(value, dict):
        text = f"Invalid type. Expected: object, given: {type_name(cast(Any, type(value)))}"
        raise InputInvalid([FieldProblem("invalid_type", "input", text)])
    return cast(dict[str, Any], value)


def _webhook_problems(field: str, url: str | None, settings: Settings) -> list[FieldProblem]:
    if url is None:
        return []
    schemes = ("https", "http") if settings.allow_http_webhooks else ("https",)
    if leads_somewhere(url, schemes):
        return []
    return [FieldProblem("format", field, f"Must be a URL that starts with {' or '.join(schemes)}")]


def _event_problems(events: tuple[str, ...]) -> list[FieldProblem]:
    return [
        FieldProblem("enum", field, f"{field} must be one of the following: {_ALLOWED}")
        for field, event in ((f"webhook_events_filter.{n}", event) for n, event in enumerate(events))
        if event not in EVENTS
    ]
