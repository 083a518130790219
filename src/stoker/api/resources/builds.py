"""Builds (our own addition): a pushed source tree becomes a version, and tells how it goes on."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.responses import Response

from stoker.api import references
from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies, sse
from stoker.api.resources import sources
from stoker.api.services import BuildLog
from stoker.api.wire import time_text
from stoker.core import permissions
from stoker.core.builds import Build, BuildEvent, Order
from stoker.core.catalog import SourceFile
from stoker.core.errors import Forbidden, Invalid, NotFound
from stoker.packaging.source import check_files


class NewFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str
    sha256: str
    size_bytes: int
    executable: bool = False


class NewBuild(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: str
    files: list[NewFile]
    strict: bool = False
    checkpoint: str | None = None


async def create(request: Request) -> Response:
    """POST /stoker/builds"""
    request.services.troubles.check_disk()
    wanted = await bodies.read_as(request, NewBuild)
    owner, _, name = wanted.model.partition("/")
    try:
        model = await references.real_model(request.services, owner, name, caller=request.caller)
    except NotFound:
        raise Invalid(f"There is no model {wanted.model}; create it first.") from None
    permissions.demand(request.caller, "change", model)
    if wanted.checkpoint is not None and not request.caller.is_operator:
        raise Forbidden("The weights on this server are the operator's account's to give to versions.")
    files = [SourceFile(f.path, f.sha256, f.size_bytes, f.executable) for f in wanted.files]
    check_files(files)
    await _check_sent(request, files)
    gpu = any(one.gpus and one.sku == model.hardware for one in request.services.hardware)
    order = Order(strict=wanted.strict, checkpoint=wanted.checkpoint, gpu=gpu)
    started = await request.services.builder.start(model.ref, files, order)
    return answers.json(_describe(started), 201)


def is_remembered(request: Request, answer: bytes) -> bool:
    """Whether the build of an answer can still be asked for."""
    return request.services.builder.get(msgspec.json.decode(answer)["id"]) is not None


async def _check_sent(request: Request, files: list[SourceFile]) -> None:
    """Raises ``Invalid`` where a file names bytes that the caller's account has not sent."""
    sent = await sources.sent_by(request, {file.sha256 for file in files})
    strange = [file.path for file in files if file.sha256 not in sent]
    if strange:
        raise Invalid(f"The bytes of {strange[0]!r} were not sent; /stoker/blobs/missing tells which are.")


async def get(request: Request) -> Response:
    """GET /stoker/builds/{id}"""
    return answers.json(_describe((await _own(request)).seen))


async def events(request: Request) -> Response:
    """GET /stoker/builds/{id}/events"""
    source = Told(await _own(request), after=request.fields.get("last-event-id", ""))
    if source.ended:
        return Response(status_code=204)
    return sse.EventStream(source)


class Told:
    """What a build told, as an event source (``sse.Source``). Event ids count from 1."""

    def __init__(self, build: BuildLog, *, after: str):
        self._build = build
        self._next = int(after) if after.isdecimal() and len(after) < 10 else 0
        self.ended = self._is_over and self._next >= len(build.events)

    def take(self) -> bytes:
        fresh = self._build.events[self._next :]
        texts = [_event(n, event) for n, event in enumerate(fresh, self._next + 1)]
        self._next += len(fresh)
        self.ended = self._is_over
        return b"".join(texts)

    def subscribe(self, waker: Callable[[], None]) -> None:
        self._build.subscribe(waker)

    def unsubscribe(self, waker: Callable[[], None]) -> None:
        self._build.unsubscribe(waker)

    @property
    def _is_over(self) -> bool:
        return self._build.seen.status != "building"


def _event(number: int, event: BuildEvent) -> bytes:
    text = event.data if isinstance(event.data, str) else msgspec.json.encode(event.data).decode()
    return sse.event(event.kind.encode(), str(number).encode(), text)


async def _own(request: Request) -> BuildLog:
    """The build of the path, if its model is the caller's."""
    build = request.services.builder.get(request.path_params["id"])
    if build is None:
        raise NotFound
    owner, _, name = build.seen.model.partition("/")
    model = await request.services.store.models.get(owner, name)
    # As of something private: what a build tells is for those whose model it is, also of a public one.
    if model is None or not permissions.may(request.caller, "see", model.account):
        raise NotFound
    return build


def _describe(build: Build) -> dict[str, Any]:
    return {
        "id": build.id,
        "model": build.model,
        "status": build.status,
        "version": build.version,
        "error": build.error,
        "warnings": build.warnings,
        "created_at": time_text(build.created_us),
    }
