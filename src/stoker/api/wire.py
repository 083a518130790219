"""How our nouns look on the wire (section 4 of the HTTP contract). Pure: values in, JSON bytes out.

Called by every handler, by the webhook loop (bodies are what GET answers) and, for its types, by the CLI.
"""

import time
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from stoker.core.catalog import Account, FileRecord, Model, Version
from stoker.core.collections import Collection
from stoker.core.deployments import Deployment
from stoker.core.links import Links
from stoker.core.prediction import Prediction

Streams = Literal["text", "files"]
"""What a version's stream carries; None where it cannot stream."""

NULL = msgspec.Raw(b"null")

encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=4096)
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def time_text(us: int) -> str:
    """ISO 8601 UTC with exactly six digits, which every client can read."""
    seconds, fraction = divmod(us, 1_000_000)
    return f"{_to_the_second(seconds)}.{fraction:06d}Z"


def streams_of(version: Version) -> Streams | None:
    """Files where the output is files, text where it is any other iterator, else None."""
    output = version.output_schema
    leaf = output.get("items", output) if output.get("type") == "array" else output
    if leaf.get("format") == "uri":
        return "files"
    return "text" if version.iterates else None


class PredictionObject(msgspec.Struct, frozen=True, kw_only=True):
    """Section 4.6: every endpoint answers with the complete object."""

    id: str
    model: str
    version: str
    input: msgspec.Raw
    logs: str
    output: msgspec.Raw
    data_removed: bool
    error: str | None
    source: str
    status: str
    created_at: str
    started_at: str | None
    completed_at: str | None
    metrics: msgspec.Raw
    urls: dict[str, str]
    webhook: str | None
    webhook_events_filter: tuple[str, ...] | UnsetType = UNSET
    deadline: str | UnsetType = UNSET
    deployment: str | UnsetType = UNSET
    imported_at: str | UnsetType = UNSET
    """Ours: when it was copied from another API, where it ran."""


def prediction_object(prediction: Prediction, *, links: Links, streams: Streams | None) -> PredictionObject:
    """The prediction as clients see it."""
    p = _without_checkpoint(prediction) if prediction.kind == "training" else prediction
    urls = links.prediction(
        p.id, stream_key=p.stream_key if streams else None, files=streams == "files", kind=p.kind
    )
    return PredictionObject(
        id=p.id,
        model=p.model,
        version=p.version,
        input=p.input,
        logs=p.logs,
        output=NULL if p.output is None else p.output,
        data_removed=p.data_removed,
        error=p.error,
        source=p.source,
        status=p.status.value,
        created_at=time_text(p.created_us),
        started_at=None if p.started_us is None else time_text(p.started_us),
        completed_at=None if p.completed_us is None else time_text(p.completed_us),
        metrics=p.metrics,
        urls=urls,
        webhook=p.webhook,
        webhook_events_filter=p.webhook_events or UNSET,
        deadline=UNSET if p.deadline_us is None else time_text(p.deadline_us),
        deployment=p.deployment or UNSET,
        imported_at=UNSET if p.imported_us is None else time_text(p.imported_us),
    )


def _without_checkpoint(training: Prediction) -> Prediction:
    """Section 4.8: the output names a version or is null. A checkpoint goes among the metrics, which every
    client hands on."""
    output: dict[str, Any] = {} if training.output is None else msgspec.json.decode(training.output)
    if "version" in output or "weights" not in output:
        return training
    metrics = msgspec.json.decode(training.metrics) | {"checkpoint": output["weights"]}
    return msgspec.structs.replace(training, output=None, metrics=msgspec.Raw(encode(metrics)))


def render_prediction(prediction: Prediction, *, links: Links, streams: Streams | None) -> bytes:
    """The JSON of a prediction: what GET answers and what a webhook carries."""
    return encode(prediction_object(prediction, links=links, streams=streams))


def account_object(account: Account) -> dict[str, Any]:
    """Section 4.1."""
    return {
        "type": account.kind,
        "username": account.name,
        "name": account.display_name or account.name,
        "avatar_url": account.avatar_url,
        "github_url": account.github_url,
    }


def version_object(version: Version) -> dict[str, Any]:
    """Section 4.5; ``imported_from`` is ours, for those that have no code here."""
    imported = {} if version.imported_from is None else {"imported_from": version.imported_from}
    return {
        "id": version.id,
        "created_at": time_text(version.created_us),
        "cog_version": version.cog_version,
        "openapi_schema": version.openapi_schema,
        **imported,
    }


def model_object(
    model: Model, *, links: Links, latest: Version | None, example: PredictionObject | None = None
) -> dict[str, Any]:
    """Section 4.4."""
    return {
        "url": links.model(model.owner, model.name),
        "owner": model.owner,
        "name": model.name,
        "description": model.description,
        "visibility": model.visibility,
        "is_official": False,
        "github_url": model.github_url,
        "paper_url": model.paper_url,
        "license_url": model.license_url,
        "weights_url": model.weights_url,
        "created_at": time_text(model.created_us),
        "run_count": model.run_count,
        "cover_image_url": model.cover_image_url,
        "default_example": example,
        "latest_version": None if latest is None else version_object(latest),
    }


def collection_object(collection: Collection) -> dict[str, Any]:
    """Section 4.2, as in lists."""
    return {"name": collection.name, "slug": collection.slug, "description": collection.description}


def deployment_object(deployment: Deployment, *, created_by: dict[str, Any]) -> dict[str, Any]:
    """Section 4.7; ``created_by`` is an account's object, ``scaling`` is what the Swift client reads."""
    release = deployment.release
    scaling = {"min_instances": release.min_instances, "max_instances": release.max_instances}
    return {
        "owner": deployment.owner,
        "name": deployment.name,
        "current_release": {
            "number": release.number,
            "model": release.model,
            "version": release.version,
            "created_at": time_text(release.created_us),
            "created_by": created_by,
            "configuration": {"hardware": release.hardware, **scaling, "scaling": scaling},
        },
    }


def file_object(record: FileRecord, *, links: Links) -> dict[str, Any]:
    """Section 4.9, of an upload; ``name`` and ``etag`` are missing from the newest specification but clients
    need them."""
    return {
        "id": record.id,
        "name": record.name,
        "content_type": record.content_type,
        "size": record.size_bytes,
        "etag": record.md5,
        "checksums": {"sha256": record.sha256, "md5": record.md5},
        "metadata": record.metadata,
        "created_at": time_text(record.created_us),
        "expires_at": time_text(record.expires_us),
        "urls": {"get": links.file(record.id)},
    }
