"""What the source's answers must look like, and what becomes of a run on its way here. Pure.

Only what is copied has its shape checked; keys that we do not know are left out. The destination checks the
values themselves.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")

STATUSES = {"succeeded": "succeeded", "failed": "failed", "canceled": "canceled", "aborted": "canceled"}
"""Those of runs that are over, and ours for them (section 7.1 of the HTTP contract)."""


class SourceVersion(msgspec.Struct, frozen=True):
    id: str
    created_at: str
    cog_version: str | None = None
    openapi_schema: dict[str, Any] | None = None


class SourceRun(msgspec.Struct, frozen=True):
    """A prediction or a training."""

    id: str
    status: str
    created_at: str
    model: str | None = None
    version: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    input: dict[str, Any] | None = None
    output: Any = None
    logs: str | None = None
    error: Any = None
    metrics: dict[str, Any] | None = None
    source: str | None = None
    data_removed: bool | None = False
    webhook: str | None = None
    webhook_events_filter: list[str] | None = None

    @property
    def is_over(self) -> bool:
        return self.status in STATUSES


class SourceModel(msgspec.Struct, frozen=True):
    owner: str
    name: str
    visibility: str = "private"
    description: str | None = None
    github_url: str | None = None
    paper_url: str | None = None
    license_url: str | None = None
    weights_url: str | None = None
    cover_image_url: str | None = None
    default_example: SourceRun | None = None
    latest_version: SourceVersion | None = None

    @property
    def ref(self) -> str:
        return f"{self.owner}/{self.name}"


class Configuration(msgspec.Struct, frozen=True):
    hardware: str
    min_instances: int
    max_instances: int


class SourceRelease(msgspec.Struct, frozen=True):
    model: str
    version: str
    configuration: Configuration


class SourceDeployment(msgspec.Struct, frozen=True):
    owner: str
    name: str
    current_release: SourceRelease | None = None


class SourceAccount(msgspec.Struct, frozen=True):
    username: str


class SourceSecret(msgspec.Struct, frozen=True):
    key: str


class SourcePage(msgspec.Struct, frozen=True):
    results: list[Any]
    next: str | None = None


def shaped(value: Any, shape: type[T]) -> T:
    """The value in that shape; raises ``msgspec.ValidationError``."""
    return msgspec.convert(value, shape)


def body_of(run: SourceRun, *, model: str | None = None) -> dict[str, Any]:
    """What is put into the destination; with ``model`` under that name."""
    there = not run.data_removed
    body = {
        "model": model or run.model,
        "version": run.version or "hidden",
        "status": STATUSES[run.status],
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.completed_at or run.started_at or run.created_at,
        "input": (run.input or {}) if there else {},
        "output": run.output if there else None,
        "logs": (run.logs or "") if there else "",
        "error": run.error if isinstance(run.error, str | None) else msgspec.json.encode(run.error).decode(),
        "metrics": run.metrics or {},
        "source": "web" if run.source == "web" else "api",
        "data_removed": bool(run.data_removed),
        "webhook": run.webhook or None,
        "webhook_events_filter": run.webhook_events_filter or None,
    }
    return {key: value for key, value in body.items() if value is not None}


def replaced(value: Any, change: Callable[[str], str]) -> Any:
    """The JSON value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [replaced(item, change) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        return {key: replaced(item, change) for key, item in cast(dict[str, Any], value).items()}
    return value
