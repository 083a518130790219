"""The bytes of source trees that are being pushed: what is missing, and taking it in (our own addition)."""

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers, bodies
from stoker.api.http.bodies import too_large
from stoker.core.errors import FieldProblem, InputInvalid
from stoker.core.ids import is_version_id

MOST_ASKED = 100_000


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: list[str]


async def missing(request: Request) -> Response:
    """POST /stoker/blobs/missing: what of these the caller's account has to send before a build names it."""
    asked = set((await bodies.read_as(request, Asked)).sha256)
    bad = [digest for digest in asked if not is_version_id(digest)]
    if bad or len(asked) > MOST_ASKED:
        raise InputInvalid([FieldProblem("format", "sha256", "Must be lists of 64 lower-case hex digits")])
    sent = await sent_by(request, asked)
    return answers.json({"missing": sorted((asked - sent) | await request.services.blobs.missing(sent))})


async def sent_by(request: Request, digests: set[str]) -> set[str]:
    """Those that the caller's account has sent itself: a sha256 alone entitles nobody to the bytes."""
    services = request.services
    return await services.store.uploads.known(request.account, digests, services.clock.now_us())


async def put(request: Request) -> Response:
    """PUT /stoker/blobs/{sha256}"""
    request.services.troubles.check_disk()
    digest = request.path_params["sha256"]
    limit_bytes = request.services.settings.source_file_limit_bytes
    length = request.fields.get("content-length", "")
    if length.isdigit() and int(length) > limit_bytes:
        raise too_large(limit_bytes)
    if not is_version_id(digest):
        raise InputInvalid([FieldProblem("format", "sha256", "Must be 64 lower-case hex digits")])
    blob = await request.services.blobs.put(request.stream(), limit_bytes=limit_bytes)
    if blob.sha256 != digest:
        raise InputInvalid([FieldProblem("invalid", "sha256", f"The bytes have the sha256 {blob.sha256}")])
    services = request.services
    await services.store.uploads.note(request.account, digest, services.clock.now_us())
    return answers.json({"sha256": blob.sha256, "size": blob.size_bytes}, 201)
