"""What somebody brings from another API: versions without their code, and runs that are over.

The shapes are those in which that API gives them (sections 4.5, 4.6 and 4.8 of the HTTP contract), checked as
anybody's input is: the source may be wrong, and who brings it may have changed it. Used by
``resources.imports``. Pure: nothing here runs, is billed or is delivered.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import msgspec

from stoker.api.creation import EVENTS
from stoker.api.http import bodies
from stoker.core import ids
from stoker.core.catalog import Recipe, Version
from stoker.core.errors import FieldProblem, InputInvalid
from stoker.core.prediction import Kind, Prediction, Status

LONGEST_URL = 2048
EPOCH = datetime.fromtimestamp(0, UTC)

_RUN_ID = re.compile(r"[a-z0-9]{26}")
_VERSION = re.compile(r"[0-9a-f]{64}|[A-Za-z0-9-]{1,63}")
"""Also ``hidden``, as official models have it."""
_COG_VERSION = re.compile(r"[0-9]+\.[A-Za-z0-9.+-]{0,60}")
_TRAINED = re.compile(r"[^/]+/[^/:]+:[0-9a-f]{64}")
_TIMES = ("predict_time", "total_time")
FAILED = "Prediction failed"
"""The error of a failed run whose API told none: clients are promised one."""


class DescribedVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    created_at: str
    cog_version: str
    openapi_schema: dict[str, Any]
    imported_from: str
    """The URL of the API that it was copied from."""


class PastRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prediction or training that is over."""

    model: str
    version: str
    status: Literal["succeeded", "failed", "canceled"]
    created_at: str
    completed_at: str
    started_at: str | None = None
    input: msgspec.Raw
    output: msgspec.Raw = msgspec.Raw(b"null")
    logs: str | None = None
    error: str | None = None
    metrics: msgspec.Raw = msgspec.Raw(b"{}")
    source: Literal["api", "web"] = "api"
    data_removed: bool = False
    webhook: str | None = None
    webhook_events_filter: list[str] | None = None


class PastExample(PastRun, frozen=True, kw_only=True, forbid_unknown_fields=True):
    default: bool = False


def is_run_id(text: str) -> bool:
    """Whether a prediction elsewhere may be called so."""
    return _RUN_ID.fullmatch(text) is not None


def version_of(given: DescribedVersion, *, id: str, model: str, now_us: int) -> Version:
    """The version that was described; raises ``InputInvalid``."""
    moments = _Moments(given, ("created_at",))
    bodies.json(msgspec.json.encode(given.openapi_schema))  # no deeper than anybody means it
    problems = [*moments.problems, *_schema_problems(given.openapi_schema)]
    problems += _order_problems(moments.us, now_us)
    if not _COG_VERSION.fullmatch(given.cog_version):
        problems.append(FieldProblem("pattern", "cog_version", "Must be a version such as 0.9.5"))
    if not _is_url(given.imported_from):
        problems.append(FieldProblem("format", "imported_from", "Does not match format 'uri'"))
    if problems:
        raise InputInvalid(problems)
    return Version(
        id=id,
        model=model,
        created_us=moments.us["created_at"] or 0,
        cog_version=given.cog_version,
        openapi_schema=given.openapi_schema,
        recipe=Recipe(environment="", imported_from=given.imported_from),
        source=(),
    )


def prediction_of(
    given: PastRun, *, id: str, account: str, kind: Kind, stream_key: str, now_us: int
) -> Prediction:
    """The run as our own store keeps it; raises ``InputInvalid``."""
    moments = _Moments(given, ("created_at", "started_at", "completed_at"))
    problems = [*moments.problems, *_order_problems(moments.us, now_us), *_run_problems(given)]
    input, metrics, output = bodies.json(given.input), bodies.json(given.metrics), bodies.json(given.output)
    problems += [
        FieldProblem("invalid_type", name, "Invalid type. Expected: object")
        for name, value in (("input", input), ("metrics", metrics))
        if not isinstance(value, dict)
    ]
    problems += _metrics_problems(metrics)
    if kind == "training" and not _is_trained(output):
        problems.append(FieldProblem("invalid", "output", "Must be null or name the version: owner/name:id"))
    if problems:
        raise InputInvalid(problems)
    is_failed, began_us = given.status == "failed", moments.us["started_at"]
    return Prediction(
        id=id,
        account=account,
        kind=kind,
        model=given.model,
        version=given.version,
        created_us=moments.us["created_at"] or 0,
        started_us=moments.us["created_at"] if began_us is None and given.status == "succeeded" else began_us,
        completed_us=moments.us["completed_at"],
        stream_key=stream_key,
        source=given.source,
        status=Status(given.status),
        input=given.input,
        output=None if output is None else given.output,
        logs=given.logs or "",
        error=(given.error or FAILED) if is_failed else None,
        metrics=given.metrics,
        data_removed=given.data_removed,
        webhook=given.webhook,
        webhook_events=tuple(given.webhook_events_filter or ()),
        imported_us=now_us,
    )


class _Moments:
    """The times of a body in microseconds, and those that are none."""

    def __init__(self, given: msgspec.Struct, fields: tuple[str, ...]):
        self.us: dict[str, int | None] = {}
        self.problems: list[FieldProblem] = []
        for field in fields:
            text = getattr(given, field)
            self.us[field] = None if text is None else _moment_us(text)
            if text is not None and self.us[field] is None:
                self.problems.append(FieldProblem("format", field, "Does not match format 'date-time'"))


def _moment_us(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _order_problems(us: dict[str, int | None], now_us: int) -> Iterator[FieldProblem]:
    """Nothing ends before it began, or after now: retention, billing and lists count with these times."""
    before = 0
    for field in ("created_at", "started_at", "completed_at"):
        moment = us.get(field)
        if moment is None:
            continue
        if not before <= moment <= now_us:
            yield FieldProblem("invalid", field, "Must be a time in the past, in order")
        before = moment


def _run_problems(given: PastRun) -> Iterator[FieldProblem]:
    owner, _, name = given.model.partition("/")
    if not (ids.is_name(owner.lower()) and ids.is_name(name.lower())):
        yield FieldProblem("pattern", "model", "Must be owner/name")
    if not _VERSION.fullmatch(given.version):
        yield FieldProblem("pattern", "version", "Must be the id of a version")
    if given.webhook is not None and not _is_url(given.webhook):
        yield FieldProblem("format", "webhook", "Does not match format 'uri'")
    if not set(given.webhook_events_filter or ()) <= set(EVENTS):
        words = ", ".join(f'"{event}"' for event in EVENTS)
        yield FieldProblem("enum", "webhook_events_filter", f"Must be of the following: {words}")


def _metrics_problems(metrics: Any) -> Iterator[FieldProblem]:
    given = cast(dict[str, Any], metrics) if isinstance(metrics, dict) else {}
    for name in _TIMES:
        value = given.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            yield FieldProblem("invalid_type", f"metrics.{name}", "Must be a number of seconds, 0 or more")


def _is_trained(output: Any) -> bool:
    version = cast(dict[str, Any], output).get("version") if isinstance(output, dict) else None
    return output is None or (isinstance(version, str) and _TRAINED.fullmatch(version) is not None)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(text) <= LONGEST_URL
    except ValueError:
        return False


def _schema_problems(schema: dict[str, Any]) -> Iterator[FieldProblem]:
    """What we and clients read of a version's document must have its shape."""
    parts: Any = schema
    for name in ("components", "schemas"):
        parts = cast(dict[str, Any], parts).get(name) if isinstance(parts, dict) else None
    found = cast(dict[str, Any], parts) if isinstance(parts, dict) else {}
    if not str(schema.get("openapi")).startswith("3.0"):
        yield FieldProblem("pattern", "openapi_schema.openapi", "Must be 3.0")
    for name in ("info", "paths"):
        if not isinstance(schema.get(name), dict):
            yield FieldProblem("invalid_type", f"openapi_schema.{name}", "Invalid type. Expected: object")
    if not all(isinstance(one, dict) for one in found.values()):
        yield FieldProblem("invalid_type", "openapi_schema.components.schemas", "Must hold objects")
    if not any(name in found for name in ("Input", "TrainingInput")):
        yield FieldProblem("required", "openapi_schema", "components.schemas.Input is required")
    for name in ("Input", "Output", "TrainingInput", "TrainingOutput"):
        if not _is_component(found.get(name, {})):
            yield FieldProblem("invalid_type", f"openapi_schema.components.schemas.{name}", "Is no schema")


def _is_component(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    component = cast(dict[str, Any], value)
    properties: Any = component.get("properties", {})
    return (
        isinstance(properties, dict)
        and all(isinstance(one, dict) for one in cast(dict[str, Any], properties).values())
        and isinstance(component.get("items", {}), dict)
    )
