"""Answers that are not errors."""

from typing import Any

from starlette.responses import Response

from stoker.api.wire import encode


def json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The value as JSON."""
    return raw_json(encode(body), status, headers)


def raw_json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON that is ready."""
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def empty(status: int = 204) -> Response:
    """No body, as deletes answer (recorded with a content type of text/plain)."""
    return Response(status_code=status, media_type="text/plain")
