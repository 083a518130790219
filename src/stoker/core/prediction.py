"""A prediction: what it is, and the only ways in which it may change.

Used by everyone. Life cycle (docs/architecture/life-cycle.md draws it):

    starting -> processing -> succeeded | failed | canceled
    starting ->               failed | canceled

Times are integers of microseconds since 1970 UTC (``*_us``), so that six digits are exact on the wire.
JSON that passes through unread (inputs, outputs, metrics) stays ``msgspec.Raw``.
"""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from stoker.core.priority import Priority

Kind = Literal["prediction", "training", "example"]
"""An example ran elsewhere, for somebody else: it shows what a model does, and is in no account's history."""

EMPTY_OBJECT = msgspec.Raw(b"{}")


class Status(StrEnum):
    STARTING = "starting"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELED})

NEXT: dict[Status, frozenset[Status]] = {
    Status.STARTING: frozenset({Status.PROCESSING, Status.FAILED, Status.CANCELED}),
    Status.PROCESSING: FINAL,
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
}
"""Which status may follow which; a status never moves backwards and a final one never moves."""

INTERRUPTED = "Prediction interrupted; please retry (code: PA)"
"""The error of a prediction that was running when its server died (section 11 of the HTTP contract)."""


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a version, as the store keeps it and as answers are made from it.

    ``input`` is the JSON object shown to people: files as URLs, secrets redacted. ``secrets`` holds the
    hidden values by input name until the run has started, then nothing. ``output`` is the JSON of the
    whole output so far; None is no output at all (JSON null on the wire).
    """

    id: str
    account: str
    model: str
    """``owner/name``."""
    version: str
    """64 hex digits."""
    created_us: int
    stream_key: str
    """The capability in ``urls.stream``; unguessable."""
    kind: Kind = "prediction"
    deployment: str | None = None
    destination: str | None = None
    """The model (``owner/name``) that a training makes a version of; None for a prediction."""
    source: Literal["api", "web"] = "api"
    input: msgspec.Raw = EMPTY_OBJECT
    secrets: msgspec.Raw | None = None
    status: Status = Status.STARTING
    started_us: int | None = None
    completed_us: int | None = None
    deadline_us: int | None = None
    output: msgspec.Raw | None = None
    logs: str = ""
    error: str | None = None
    metrics: msgspec.Raw = EMPTY_OBJECT
    webhook: str | None = None
    webhook_events: tuple[str, ...] = ()
    """What the caller filtered by; empty is the default (output and completed)."""
    data_removed: bool = False
    kept: bool = False
    """Whether its data stays whatever the account's retention says: it is shown as an example."""
    priority: Priority = "normal"
    """Before or after which others of its account it has its turn."""
    likeness: str | None = None
    """What it asks its version, as a digest (``core.sharing``); None where it shares with nobody."""
    copied_from: str | None = None
    """The prediction whose run gave its answer: it counts as no run and costs nothing."""
    imported_us: int | None = None
    """When it was copied from another API, where it ran: it is over, counts as no run here and costs nothing.
    Its data is kept as if it had ended then."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a prediction ended: what ``finish`` writes."""

    status: Status
    completed_us: int
    output: msgspec.Raw | None = None
    logs: str = ""
    error: str | None = None
    metrics: msgspec.Raw = EMPTY_OBJECT
    copied_from: str | None = None


def started(prediction: Prediction, now_us: int) -> Prediction:
    """The prediction, running since ``now_us``; its secrets are gone."""
    _check(prediction.status, Status.PROCESSING)
    return msgspec.structs.replace(prediction, status=Status.PROCESSING, started_us=now_us, secrets=None)


def finished(prediction: Prediction, ending: Ending) -> Prediction:
    """The prediction in its final state."""
    _check(prediction.status, ending.status)
    return msgspec.structs.replace(
        prediction,
        status=ending.status,
        completed_us=ending.completed_us,
        output=ending.output,
        logs=ending.logs,
        error=ending.error,
        metrics=ending.metrics,
        copied_from=ending.copied_from,
        secrets=None,
    )


def final_metrics(
    model_metrics: dict[str, Any], *, created_us: int, started_us: int | None, completed_us: int
) -> msgspec.Raw:
    """The model's own metrics with ``predict_time`` and ``total_time`` in seconds.

    ``predict_time`` is 0 for a prediction that never ran; ``total_time`` counts from creation
    (section 7.3 of the HTTP contract).
    """
    run_us = completed_us - started_us if started_us is not None else 0
    times = {"predict_time": run_us / 1e6, "total_time": (completed_us - created_us) / 1e6}
    return msgspec.Raw(msgspec.json.encode(model_metrics | times))


def _check(now: Status, then: Status) -> None:
    if then not in NEXT[now]:
        raise ValueError(f"a prediction that is {now} cannot become {then}")
