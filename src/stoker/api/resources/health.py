"""Whether the server answers, for everyone; what runs on it, for those who have a token."""

import contextlib
from importlib.metadata import version
from typing import Any

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.core.errors import Unauthenticated

VERSION = version("stoker")


async def get(request: Request) -> Response:
    """GET /health"""
    health: dict[str, Any] = {"status": "ok", "version": VERSION}
    with contextlib.suppress(Unauthenticated):
        await request.services.tokens.caller(request.fields.get("authorization"))
        health["instances"] = request.services.dispatcher.instances()
    return answers.json(health)
