"""Checkpoints and their fetches (our own addition): weights that versions share. The operator's."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies, sse
from stoker.api.services import FetchLog
from stoker.api.wire import time_text
from stoker.core.checkpoints import Checkpoint, Fetch, Wanted
from stoker.core.errors import Forbidden, NotFound


async def list_(request: Request) -> Response:
    """GET /stoker/checkpoints: newest first, and what is being fetched."""
    _check_operator(request)
    fetches, used = request.services.fetches, await request.services.store.versions.by_checkpoint()
    found = [_describe(one, used.get(one.id, [])) for one in await fetches.shelf.all()]
    return answers.json({"results": found, "fetches": [_describe_fetch(one) for one in fetches.running()]})


async def get(request: Request) -> Response:
    """GET /stoker/checkpoints/{id}: with its files."""
    _check_operator(request)
    checkpoint = await request.services.fetches.shelf.get(request.path_params["id"])
    if checkpoint is None:
        raise NotFound
    used = await request.services.store.versions.by_checkpoint()
    files = [
        {"path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256} for file in checkpoint.files
    ]
    return answers.json(_describe(checkpoint, used.get(checkpoint.id, [])) | {"files": files})


async def create(request: Request) -> Response:
    """POST /stoker/checkpoints: begins a fetch, or joins the one that brings the same."""
    _check_operator(request)
    wanted = await bodies.read_as(request, Wanted)
    return answers.json(_describe_fetch(await request.services.fetches.start(wanted)), 201)


def is_remembered(request: Request, answer: bytes) -> bool:
    """Whether the fetch of an answer can still be asked for."""
    return request.services.fetches.get(msgspec.json.decode(answer)["id"]) is not None


async def get_fetch(request: Request) -> Response:
    """GET /stoker/fetches/{id}"""
    return answers.json(_describe_fetch(_fetch(request).seen))


async def stop_fetch(request: Request) -> Response:
    """DELETE /stoker/fetches/{id}: breaks it off; what has come is kept, and gone on with."""
    _fetch(request)
    await request.services.fetches.stop(request.path_params["id"])
    return Response(status_code=204)


async def events(request: Request) -> Response:
    """GET /stoker/fetches/{id}/events"""
    source = Told(_fetch(request), after=request.fields.get("last-event-id", ""))
    if source.ended:
        return Response(status_code=204)
    return sse.EventStream(source)


class Told:
    """How far a fetch is, as an event source (``sse.Source``): always the latest, never what was before."""

    def __init__(self, fetch: FetchLog, *, after: str):
        self._fetch = fetch
        self._last = after
        self.ended = fetch.is_over and after == self._id

    @property
    def _id(self) -> str:
        return str(self._fetch.changes)

    def take(self) -> bytes:
        self.ended = self._fetch.is_over
        if self._id == self._last:
            return b""
        self._last = self._id
        name, data = _told(self._fetch.seen)
        return sse.event(name, self._id.encode(), msgspec.json.encode(data).decode())

    def subscribe(self, waker: Callable[[], None]) -> None:
        self._fetch.subscribe(waker)

    def unsubscribe(self, waker: Callable[[], None]) -> None:
        self._fetch.unsubscribe(waker)


def _told(fetch: Fetch) -> tuple[bytes, dict[str, Any]]:
    if fetch.status == "succeeded":
        return b"done", {"checkpoint": fetch.checkpoint, "cached": fetch.cached}
    if fetch.status == "failed":
        return b"error", {"detail": fetch.error}
    return b"progress", {"message": fetch.message, "done": fetch.done_bytes, "total": fetch.total_bytes}


def _fetch(request: Request) -> FetchLog:
    _check_operator(request)
    fetch = request.services.fetches.get(request.path_params["id"])
    if fetch is None:
        raise NotFound
    return fetch


def _check_operator(request: Request) -> None:
    """Weights may be anything on the operator's disk, and fill it."""
    if not request.caller.is_operator:
        raise Forbidden("Weights are fetched and listed by the operator's account.")


def _describe(checkpoint: Checkpoint, versions: list[str]) -> dict[str, Any]:
    return {
        "id": checkpoint.id,
        **msgspec.structs.asdict(checkpoint.wanted),
        "commit": checkpoint.commit,
        "size_bytes": checkpoint.size_bytes,
        "created_at": time_text(checkpoint.created_us),
        "versions": versions,
    }


def _describe_fetch(fetch: Fetch) -> dict[str, Any]:
    return {
        "id": fetch.id,
        **msgspec.structs.asdict(fetch.wanted),
        "status": fetch.status,
        "message": fetch.message,
        "done_bytes": fetch.done_bytes,
        "total_bytes": fetch.total_bytes,
        "checkpoint": fetch.checkpoint,
        "cached": fetch.cached,
        "error": fetch.error,
        "created_at": time_text(fetch.created_us),
    }
