"""The server's problem answers as one plain sentence each. Pure; used by the client."""

import json
import re
from typing import Any

TOKEN_REFUSED = (
    "The server does not accept this token. Check REPLICATE_API_TOKEN, "
    "or unset it to use the token that 'stoker serve' stored."
)

TOKEN_REFUSED_STORED = (
    "The server does not accept the token that is stored here for it; it may be revoked or over. "
    "Set REPLICATE_API_TOKEN to another one."
)

_THINGS = (
    (r"(?:stoker/)?models/([^/]+/[^/]+)/versions/(.+?)(?:/(?:scale|aliases))?", "version {1} of {0}"),
    (r"(?:stoker/)?models/([^/]+/[^/]+)(?:/.*)?", "model {0}"),
    (r"(?:stoker/)?deployments/([^/]+/[^/]+)(?:/.*)?", "deployment {0}"),
    (r"predictions/(.+?)(?:/cancel)?", "prediction {0}"),
    (r"stoker/accounts/(.+?)/members/(.+)", "member {1} of {0}"),
    (r"stoker/accounts/(.+?)(?:/(?:members|scale))?", "account {0}"),
    (r"stoker/tokens", "account of that name"),
    (r"stoker/tokens/(.+)", "token {0}"),
)
"""Paths behind ``/v1/``, and what is not there where one of them is answered with 404."""


def sentence(status: int, body: bytes, *, what: str) -> str:
    """What went wrong, for a person; ``what`` is the request in a few words, for answers without any."""
    if status == 401:
        return TOKEN_REFUSED
    problem = _object(body)
    if fields := problem.get("invalid_fields"):
        return f"{problem.get('title', 'The request is not valid')}: {_fields(fields)}."
    detail = " ".join(str(problem.get("detail") or "").split())
    if status == 404 and detail in ("", "The requested resource could not be found."):
        return _nothing(what) if problem else f"{what}: answered with status 404. Is that a Stoker server?"
    if not detail:
        return f"{what}: the server answered with status {status}."
    return detail if detail.endswith((".", "?", "!")) else f"{detail}."


def _nothing(what: str) -> str:
    path = what.partition("/v1/")[2]
    for pattern, thing in _THINGS:
        if match := re.fullmatch(pattern, path):
            return f"There is no {thing.format(*match.groups())}, or it is not yours to see."
    return f"{what}: the server has no such thing, or it is not yours to see."


def _object(body: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(body)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _fields(fields: list[dict[str, Any]]) -> str:
    told = []
    for field in fields:
        name = str(field.get("field") or "").removeprefix("input").removeprefix(".")
        description = str(field.get("description") or "not valid").rstrip(".").removeprefix(f"input.{name} ")
        told.append(f"{name}: {description}" if name else description)
    return "; ".join(told)
