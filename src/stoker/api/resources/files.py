"""The files API: upload, list, describe, delete, signed download (section 5.8)."""

import base64
import hashlib
import hmac
import secrets

import msgspec
from starlette.responses import Response

from stoker.api import idempotency
from stoker.api.endpoint import Request
from stoker.api.http import answers, pages
from stoker.api.http.bodies import too_large
from stoker.api.http.multipart import Form
from stoker.api.resources import delivery
from stoker.api.services import Services
from stoker.api.uploads import Upload
from stoker.api.wire import file_object
from stoker.core import ids
from stoker.core.catalog import FileRecord
from stoker.core.claims import Claim
from stoker.core.errors import Forbidden, NotFound
from stoker.core.permissions import may

PAGE = 100
FORM_BYTES = 1024 * 1024
"""What a form may take beside the file."""


async def create(request: Request) -> Response:
    """POST /files"""
    services = request.services
    services.troubles.check_disk()
    limit_bytes = services.settings.upload_limit_bytes
    length = request.fields.get("content-length", "")
    if length.isdigit() and int(length) > limit_bytes + FORM_BYTES:
        raise too_large(limit_bytes)
    upload = Upload()
    form = Form(request.fields.get("content-type", ""), request.stream())
    await upload.read(form, services.blobs, limit_bytes=limit_bytes)
    # A repeated form has another boundary, so the parts are compared.
    assert upload.blob is not None
    told = [upload.name, upload.content_type, upload.blob.sha256, upload.metadata]
    async with idempotency.claimed(request, msgspec.json.encode(told, order="deterministic")) as claim:
        record = _record(request, upload, claim)
        there = await services.store.files.get(record.id) if claim else None
        if there is None:
            await services.store.files.create(record)
    headers = idempotency.REPEATED if there else None
    return answers.json(file_object(there or record, links=services.links), 201, headers)


async def list_(request: Request) -> Response:
    """GET /files: uploads, newest first."""
    place = pages.place(request)
    cursor = place.cursor if place else None
    page = await request.services.store.files.page(request.account, cursor=cursor, limit=PAGE)
    results = [file_object(record, links=request.services.links) for record in page.items]
    return pages.envelope(request, page, results, path="/files", key=lambda f: (f.created_us, f.id))


async def get(request: Request) -> Response:
    """GET /files/{id}: the description, not the bytes."""
    return answers.json(file_object(await _own(request), links=request.services.links))


async def delete(request: Request) -> Response:
    """DELETE /files/{id}"""
    record = await _own(request)
    if not await request.services.store.files.delete(record.id, account=record.account):
        raise NotFound
    return answers.empty()


async def download(request: Request) -> Response:
    """GET /files/{id}/download?owner&expiry&signature: the bytes, without a token."""
    services = request.services
    id, query = request.path_params["id"], request.query_params
    owner, expiry, signature = query.get("owner", ""), query.get("expiry", ""), query.get("signature", "")
    now_us = services.clock.now_us()
    if not expiry.isdecimal() or len(expiry) > 12 or int(expiry) * 1_000_000 < now_us:
        raise Forbidden("The link has expired.")
    record = await services.store.files.get(id)
    account = await services.store.accounts.get(owner)
    # Unknown owners are signed for as well, so that the answer does not tell who exists.
    key = await signing_secret(services, account.name) if account else secrets.token_hex(32)
    # A plus sign that was not percent-encoded arrives as a blank.
    if not hmac.compare_digest(signature.replace(" ", "+").encode(), sign(key, owner, id, expiry).encode()):
        raise Forbidden("The signature does not fit.")
    if record is None or account is None or record.account != account.name or record.expires_us <= now_us:
        raise NotFound
    # Nor may a cache give it to anybody for longer than the link is good.
    until_us = min(record.expires_us, int(expiry) * 1_000_000)
    return delivery.content(request, msgspec.structs.replace(record, expires_us=until_us))


async def secret(request: Request) -> Response:
    """GET /stoker/files-secret: what the caller signs download links with (our own addition)."""
    return answers.json({"key": await signing_secret(request.services, request.account)})


def sign(secret: str, owner: str, id: str, expiry: str) -> str:
    """The signature of a download link, standard base64."""
    mac = hmac.digest(secret.encode(), f"{owner} {id} {expiry}".encode(), hashlib.sha256)
    return base64.b64encode(mac).decode()


async def signing_secret(services: Services, account: str) -> str:
    """The account's secret for download links, made when it is first needed."""
    return await services.store.secret(f"files:{account}", secrets.token_urlsafe(32))


def _record(request: Request, upload: Upload, claim: Claim | None) -> FileRecord:
    assert upload.blob is not None
    now_us = claim.created_us if claim else request.services.clock.now_us()
    return FileRecord(
        id=ids.file_id(claim.seed if claim else secrets.token_bytes(16)),
        account=request.account,
        origin="upload",
        name=upload.name,
        content_type=upload.content_type,
        size_bytes=upload.blob.size_bytes,
        sha256=upload.blob.sha256,
        md5=upload.blob.md5,
        created_us=now_us,
        expires_us=now_us + int(request.services.settings.upload_ttl_s * 1e6),
        metadata=upload.metadata,
    )


async def _own(request: Request) -> FileRecord:
    """An upload that the caller may see; what a model made is its prediction's."""
    record = await request.services.store.files.get(request.path_params["id"])
    if record is None or record.origin != "upload" or not may(request.caller, "see", record):
        raise NotFound
    if record.expires_us <= request.services.clock.now_us():
        raise NotFound
    return record
