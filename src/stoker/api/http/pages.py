"""Pagination (section 14 of the HTTP contract): the envelope, and cursors that carry their own filters."""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.wire import encode
from stoker.core.errors import NotFound
from stoker.ports.store import Cursor, Page

T = TypeVar("T")

Number = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
"""What every database can hold."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """What a cursor says: where in the list, which way, and by which filters."""

    time_us: Number
    id: str
    reverse: bool = False
    filters: dict[str, str | Number] = {}

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.time_us, self.id, self.reverse)


def place(request: Request) -> Place | None:
    """Where the request wants to be in the list; None is the beginning."""
    text = request.query_params.get("cursor")
    if not text:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=Place)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise NotFound("Invalid cursor") from None


def envelope(
    request: Request,
    page: Page[T],
    results: list[Any],
    *,
    path: str,
    key: Callable[[T], tuple[int, str]],
    filters: dict[str, str | int] | None = None,
) -> Response:
    """The page as an answer; ``key`` gives (time, id) of an item, ``path`` is ours without ``/v1``."""

    def link(item: T, *, reverse: bool) -> str:
        time_us, id = key(item)
        text = base64.urlsafe_b64encode(encode(Place(time_us, id, reverse, filters or {}))).rstrip(b"=")
        return f"{request.services.links.base}/v1{path}?cursor={text.decode()}"

    first, last = (page.items[0], page.items[-1]) if page.items else (None, None)
    body = {
        "previous": link(first, reverse=True) if first is not None and page.has_previous else None,
        "next": link(last, reverse=False) if last is not None and page.has_next else None,
        "results": results,
    }
    return answers.json(body)
