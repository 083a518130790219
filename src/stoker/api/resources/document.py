"""The OpenAPI document of this server, for whoever asks."""

import asyncio
from functools import lru_cache

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.openapi.document import document
from stoker.api.resources.health import VERSION
from stoker.api.wire import encode

ANY_PAGE = {"access-control-allow-origin": "*"}
"""It says nothing about anybody, and documentation viewers run in pages of their own."""


async def get(request: Request) -> Response:
    """GET /openapi.json"""
    # Reading it for the first time takes a moment that the event loop has not got.
    body = await asyncio.to_thread(_rendered, request.services.links.base)
    return answers.raw_json(body, headers=ANY_PAGE)


@lru_cache(maxsize=4)
def _rendered(base: str) -> bytes:
    return encode(document(base=base, version=VERSION))
