"""Errors as problem JSON (section 11 of the HTTP contract); the one place that knows HTTP statuses."""

import logging
import secrets
from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api.http.readers import LastWord
from stoker.core import errors

log = logging.getLogger(__name__)

NO_RETRY = {"x-should-retry": "false"}
"""The Python 2 client repeats 409 and 5xx by itself; this stops it."""

_STATUSES: tuple[tuple[type[errors.StokerError], int, str | None], ...] = (
    (errors.InputInvalid, 422, "Input validation failed"),
    (errors.VersionUnknown, 422, "Invalid version or not permitted"),
    (errors.Invalid, 422, "Invalid request"),
    (errors.NotFound, 404, None),
    (errors.Unauthenticated, 401, "Unauthenticated"),
    (errors.Forbidden, 403, "Forbidden"),
    (errors.Throttled, 429, "Too many requests"),
    (errors.Conflict, 409, "Conflict"),
    (errors.BadRequest, 400, "Bad request"),
    (errors.TooLarge, 413, "Request too large"),
    (errors.BuildFailed, 422, "Build failed"),
    (errors.FetchFailed, 422, "Fetch failed"),
    (errors.Unavailable, 503, "Service unavailable"),
    (errors.PredictionCanceled, 409, "Prediction canceled"),
    (errors.PredictionFailed, 500, "Prediction failed"),
    (errors.StorageFull, 507, "Insufficient storage"),
    (errors.StorageFailed, 503, "Storage unavailable"),
    (errors.StokerError, 500, None),
)

_OPENAI_STATUSES: tuple[tuple[type[errors.StokerError], int], ...] = (
    (errors.VersionUnknown, 404),
    (errors.Invalid, 400),
)
"""Where OpenAI's clients know another status than Replicate's; the rest is the same."""

_HEADERS: dict[int, dict[str, str]] = {
    409: NO_RETRY,
    413: {"connection": "close"},
    500: NO_RETRY,
    507: NO_RETRY | {"connection": "close"},
}
UNREAD = (413, 507)
"""After these the rest of the body may still be on its way."""


def problem(
    status: int,
    detail: str,
    *,
    title: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem answer; ``detail`` is never empty, every client shows it."""
    body: dict[str, Any] = {"title": title} if title else {}
    body |= {"detail": detail, "status": status, **more}
    kind = LastWord if status in UNREAD else Response
    return kind(
        msgspec.json.encode(body),
        status_code=status,
        headers=_HEADERS.get(status, {}) | (headers or {}),
        media_type="application/problem+json",
    )


def for_error(error: errors.StokerError) -> Response:
    """The answer to an error of ours."""
    status, title = next((s, t) for kind, s, t in _STATUSES if isinstance(error, kind))
    more: dict[str, Any] = {}
    if isinstance(error, errors.InputInvalid):
        more["invalid_fields"] = error.fields
    elif isinstance(error, errors.Throttled):
        more["retry_after"] = error.reset_s
    return problem(status, error.message, title=title, headers=_told_to_wait(error), **more)


def openai_status(error: errors.StokerError) -> int:
    """The status of the same error in OpenAI's API."""
    own = (status for kind, status in _OPENAI_STATUSES if isinstance(error, kind))
    return next(own, None) or next(status for kind, status, _ in _STATUSES if isinstance(error, kind))


def headers_of(error: errors.StokerError, status: int) -> dict[str, str]:
    """What goes with the error beside its body: whether and when to come again."""
    return _HEADERS.get(status, {}) | _told_to_wait(error)


def _told_to_wait(error: errors.StokerError) -> dict[str, str]:
    """A server that stops has a successor soon; what a broken store has kept of a create nobody knows."""
    if isinstance(error, errors.Unavailable):
        return {"retry-after": "2"}
    if isinstance(error, errors.StorageFailed):
        return NO_RETRY
    if not isinstance(error, errors.Throttled):
        return {}
    reset = str(error.reset_s)
    return {"retry-after": reset, "ratelimit-remaining": "0", "ratelimit-reset": reset}


def not_found() -> Response:
    """The generic 404, also for paths that do not exist."""
    return for_error(errors.NotFound())


def method_not_allowed(allow: str) -> Response:
    """405 with the methods that the path has."""
    return problem(
        405, "That method is not allowed here.", title="Method not allowed", headers={"allow": allow}
    )


def internal(error: Exception, *, method: str, path: str) -> Response:
    """500 for what should not have happened; the traceback goes to our log only, found by the request id.

    A disk that is full happens, and has an answer of its own.
    """
    if errors.is_full_disk(error):
        log.error("%s %s failed: %s", method, path, error)
        return for_error(errors.StorageFull())
    request_id = log_internal(error, method=method, path=path)
    return problem(
        500,
        f"Something went wrong on the server (request {request_id}).",
        title="Internal server error",
        instance=f"urn:request:{request_id}",
    )


def log_internal(error: Exception, *, method: str, path: str) -> str:
    """Writes what should not have happened to our log; the id under which it is found there."""
    request_id = secrets.token_hex(8)
    log.error("request %s: %s %s failed", request_id, method, path, exc_info=error)
    return request_id
