"""The server's problem answers as one plain sentence each. Pure; used by the client."""

import json
from typing import Any

TOKEN_REFUSED = (
    "The server does not accept this token. Check REPLICATE_API_TOKEN, "
    "or unset it to use the token that 'stoker serve' stored."
)


def sentence(status: int, body: bytes, *, what: str) -> str:
    """What went wrong, for a person; ``what`` is the request in a few words, for answers without any."""
    if status == 401:
        return TOKEN_REFUSED
    problem = _object(body)
    if fields := problem.get("invalid_fields"):
        return f"{problem.get('title', 'The request is not valid')}: {_fields(fields)}."
    detail = " ".join(str(problem.get("detail") or "").split())
    if status == 404 and detail in ("", "The requested resource could not be found."):
        return f"{what}: the server has no such thing, or it is not yours to see."
    if not detail:
        return f"{what}: the server answered with status {status}."
    return detail if detail.endswith((".", "?", "!")) else f"{detail}."


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
        description = str(field.get("description") or "not valid").rstrip(".")
        told.append(f"{name}: {description}" if name else description)
    return "; ".join(told)
