"""The bytes of files, for whoever has a link: no token, Range, caching, and nothing that runs as our origin.

Section 10.2 of the HTTP contract. What a model made is never trusted: whatever its type says, a browser that
opens it keeps it in a sandbox, without scripts.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from email.utils import formatdate
from typing import cast
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stoker.api import problems
from stoker.api.endpoint import Request
from stoker.api.http import ranges
from stoker.api.http.readers import Reader
from stoker.core.catalog import FileRecord
from stoker.core.errors import NotFound
from stoker.ports.blobs import Blobs

MAX_AGE_S = 3600

Headers = dict[str, str]


async def get(request: Request) -> Response:
    """GET /delivery/{id}/{pass}/{name}"""
    services = request.services
    id, pass_ = request.path_params["id"], request.path_params["pass"]
    now_us = services.clock.now_us()
    # A link lasts as long as its file is remembered: that of an example outlives the time written into it.
    record = await services.store.files.get(id) if services.links.opens(id, pass_, now_us=0) else None
    if record is None or record.expires_us <= now_us:
        raise NotFound
    return content(request, record)


async def preflight(_request: Request) -> Response:
    """OPTIONS, for browsers that ask for ranges."""
    headers = {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, HEAD",
        "access-control-allow-headers": "range, if-none-match, if-range, authorization",
    }
    return Response(status_code=204, headers=headers)


def content(request: Request, record: FileRecord) -> Response:
    """The answer for a file's bytes: whole, a range, or that the client has them already."""
    headers = _headers(record, now_us=request.services.clock.now_us())
    if _has(request.fields.get("if-none-match"), headers["etag"]):
        return Response(status_code=304, headers=headers)
    asked = request.fields.get("range")
    if request.fields.get("if-range", headers["etag"]) != headers["etag"]:
        asked = None
    try:
        span = ranges.parse(asked, record.size_bytes)
    except ranges.Unsatisfiable:
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{record.size_bytes}"})
    headers["content-type"] = record.content_type
    if span is None:
        return Bytes(request.services.blobs, record, ranges.Span(0, record.size_bytes), 200, headers)
    headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{record.size_bytes}"
    return Bytes(request.services.blobs, record, span, 206, headers)


class Bytes(Response):
    """Passes a part of a file on, at the reader's pace, until the reader has gone."""

    def __init__(
        self, blobs: Blobs, record: FileRecord, span: ranges.Span, status_code: int, headers: Headers
    ):
        length = {"content-length": str(span.end - span.start)}
        super().__init__(status_code=status_code, headers=headers | length)
        self._blobs = blobs
        self._sha256 = record.sha256
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        empty = scope["method"] == "HEAD" or self._span.start == self._span.end
        opened = self._blobs.open(self._sha256, start=self._span.start, end=self._span.end)
        async with aclosing(cast(AsyncGenerator[bytes, None], opened)) as chunks:
            try:
                first = b"" if empty else await anext(chunks, b"")
            except NotFound as error:  # only its description is left
                await problems.for_error(error)(scope, receive, send)
                return
            head = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(head)
            if first:
                await self._pass_on(first, chunks, receive, send)
        await send({"type": "http.response.body"})

    async def _pass_on(
        self, first: bytes, chunks: AsyncGenerator[bytes, None], receive: Receive, send: Send
    ) -> None:
        await send({"type": "http.response.body", "body": first, "more_body": True})
        if len(first) == self._span.end - self._span.start:  # a picture: nobody needs to be watched
            return
        reader = Reader(receive)
        try:
            async for chunk in chunks:
                if reader.gone:
                    return
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            reader.release()


def _headers(record: FileRecord, *, now_us: int) -> Headers:
    age_s = max(0, min(MAX_AGE_S, (record.expires_us - now_us) // 1_000_000))
    return {
        "etag": f'"{record.sha256}"',
        "last-modified": formatdate(record.created_us / 1e6, usegmt=True),
        "accept-ranges": "bytes",
        "cache-control": f"public,max-age={age_s}",
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "content-length, content-range, etag",
        "cross-origin-resource-policy": "cross-origin",
        "content-disposition": f"inline; filename*=UTF-8''{quote(record.name, safe='')}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }


def _has(if_none_match: str | None, etag: str) -> bool:
    given = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in given or "*" in given
