"""Errors in OpenAI's shape. The statuses are those of ``stoker.api.problems``.

Used by ``Endpoint`` for all paths below ``/openai/v1``, and by streams for errors that come after the status.
"""

from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api import problems
from stoker.api.http.readers import LastWord
from stoker.core import errors

CODES = {
    errors.Unauthenticated.code: "invalid_api_key",
    errors.VersionUnknown.code: "model_not_found",
    errors.Throttled.code: "rate_limit_exceeded",
}
"""The codes that OpenAI's clients look for; all others are ours."""


def for_error(error: errors.StokerError) -> Response:
    """The answer to an error of ours."""
    status = problems.openai_status(error)
    return _answer(status, error_object(error), problems.headers_of(error, status))


def method_not_allowed(allow: str) -> Response:
    """405 with the methods that the path has."""
    told = _object("That method is not allowed here.", status=405, code="method_not_allowed")
    return _answer(405, told, {"allow": allow})


def internal(error: Exception, *, method: str, path: str) -> Response:
    """500 for what should not have happened; only our log says what. A full disk has an answer of its own."""
    if errors.is_full_disk(error):
        return for_error(errors.StorageFull())
    request_id = problems.log_internal(error, method=method, path=path)
    text = f"Something went wrong on the server (request {request_id})."
    failed = errors.StokerError(text)
    return _answer(500, error_object(failed), problems.headers_of(failed, 500))


def unknown_path(method: str, path: str) -> Response:
    """404 for what is no endpoint here."""
    text = f"Unknown request URL: {method} {path}. This server answers a part of OpenAI's API."
    return _answer(404, _object(text, status=404, code="unknown_url"), {})


def error_object(error: errors.StokerError) -> dict[str, Any]:
    """The body of an error: in an answer, or as an event of a stream."""
    status = problems.openai_status(error)
    code = CODES.get(error.code, error.code)
    if isinstance(error, errors.InputInvalid):
        text = "; ".join(f"{f.field}: {f.description}" if f.field else f.description for f in error.fields)
        return _object(text, status=status, code=code, param=error.fields[0].field or None)
    param = "model" if isinstance(error, errors.VersionUnknown) else None
    return _object(error.message, status=status, code=code, param=param)


def _object(text: str, *, status: int, code: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": text, "type": _type(status), "param": param, "code": code}}


def _type(status: int) -> str:
    if status == 429:
        return "requests"
    return "server_error" if status >= 500 else "invalid_request_error"


def _answer(status: int, body: dict[str, Any], headers: dict[str, str]) -> Response:
    kind = LastWord if status in problems.UNREAD else Response
    return kind(msgspec.json.encode(body), status_code=status, headers=headers, media_type="application/json")
