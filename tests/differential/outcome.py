"""How a prediction ended, in one form for both servers, so that two endings can be compared."""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec

Field = Literal["status", "output", "error", "logs", "metrics"]
FIELDS: tuple[Field, ...] = ("status", "output", "error", "logs", "metrics")

OWN_METRICS = ("predict_time", "total_time", "time_to_first_token", "tokens_per_second")
"""Metrics that a server measures by itself: no two runs agree on them."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    """succeeded, failed, canceled, or refused: not run at all."""
    output: Any = None
    """Files in it are what they are, not where they are: see ``file_described``."""
    error: Any = None
    """Text, or for a refused input the names of the wrong fields."""
    logs: str = ""
    metrics: dict[str, Any] = {}


def file_described(content_type: str, data: bytes) -> dict[str, Any]:
    """A file in an output."""
    return {
        "content_type": content_type,
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def decoded_data_url(text: str) -> dict[str, Any]:
    """The file in a ``data:`` URL."""
    head, _, body = text.removeprefix("data:").partition(",")
    content_type, _, coding = head.partition(";")
    return file_described(
        content_type, base64.b64decode(body) if coding == "base64" else unquote_to_bytes(body)
    )


def with_files(value: Any, opened: Callable[[str], dict[str, Any] | None]) -> Any:
    """The value with every text for which ``opened`` gives a file replaced by that file."""
    if isinstance(value, str):
        file = opened(value)
        return value if file is None else file
    if isinstance(value, list):
        return [with_files(item, opened) for item in value]
    if isinstance(value, dict):
        return {key: with_files(item, opened) for key, item in value.items()}
    return value


def without_folder(logs: str) -> str:
    """Logs without the folder that the model happens to run in."""
    return re.sub(r"/[^\s\"]*/(run\.py)", r"\1", logs)


def models_own(metrics: dict[str, Any]) -> dict[str, Any]:
    """The metrics that the model recorded."""
    return {name: value for name, value in metrics.items() if name not in OWN_METRICS}
