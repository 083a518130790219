"""What must not stay in an input as it came: files sent as data, links to files, secrets.

Data URIs of file inputs become stored files with a link; our own file links are checked to be the caller's to
use; secrets leave the input that is shown. Called once per create, after the schema has been checked.
"""

import asyncio
import base64
import binascii
import mimetypes
import secrets
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, cast
from urllib.parse import unquote_to_bytes

import msgspec

from stoker.api.inputs import InputSchema
from stoker.api.services import Services
from stoker.api.wire import encode
from stoker.core import ids, retention
from stoker.core.catalog import FileRecord
from stoker.core.errors import FieldProblem, InputInvalid
from stoker.core.permissions import Caller, may
from stoker.core.redaction import REDACTED
from stoker.ports.blobs import Blob

INLINE_BYTES = 256 * 1024
"""Larger data URIs are decoded beside the event loop."""


class Taken(NamedTuple):
    shown: msgspec.Raw
    secrets: msgspec.Raw | None


class Intake:
    """Takes one prediction's input in."""

    def __init__(self, services: Services, *, caller: Caller, prediction: str, now_us: int):
        self._services = services
        self._caller = caller
        self._account = caller.account
        self._prediction = prediction
        self._now_us = now_us

    async def take(self, schema: InputSchema, given: dict[str, Any], raw: msgspec.Raw) -> Taken:
        """The input as it is shown, and its secrets apart. ``given`` and ``raw`` are the same input."""
        text = bytes(raw)
        shown = dict(given)
        if b"data:" in text or b"\\" in text:
            for name in schema.files & shown.keys():
                shown[name] = await self._stored(shown[name], f"input.{name}")
        if b"/" in text and (self._services.links.base.encode() in text or b"\\" in text):
            await self._check_links(shown, "input")
        hidden = {name: shown[name] for name in schema.secrets & shown.keys() if shown[name] is not None}
        for name, value in hidden.items():
            shown[name] = [REDACTED for _ in cast(list[Any], value)] if isinstance(value, list) else REDACTED
        unchanged = shown == given
        return Taken(
            raw if unchanged else msgspec.Raw(encode(shown)), msgspec.Raw(encode(hidden)) if hidden else None
        )

    async def _stored(self, value: Any, field: str) -> Any:
        """The value with every data URI replaced by a link to the stored file."""
        if isinstance(value, list):
            items = cast(list[Any], value)
            return [await self._stored(item, f"{field}.{n}") for n, item in enumerate(items)]
        if not isinstance(value, str) or not value.startswith("data:"):
            return value
        decode = asyncio.to_thread(read_data_uri, value) if len(value) > INLINE_BYTES else _now(value)
        try:
            content_type, data = await decode
        except ValueError:
            raise InputInvalid([FieldProblem("format", field, "Is not a valid data URI")]) from None
        blob = await self._services.blobs.put(_once(data))
        suffix = mimetypes.guess_extension(content_type.partition(";")[0]) or ""
        return await self.keep(blob, name=f"file{suffix}", content_type=content_type)

    async def keep(self, blob: Blob, *, name: str, content_type: str) -> str:
        """Notes a file that was sent with the prediction and goes with its data; a link for the input."""
        record = FileRecord(
            id=ids.file_id(secrets.token_bytes(16)),
            account=self._account,
            origin="input",
            name=name,
            content_type=content_type,
            size_bytes=blob.size_bytes,
            sha256=blob.sha256,
            md5=blob.md5,
            created_us=self._now_us,
            expires_us=retention.expiry_us(await self._life_s(), self._now_us),
            prediction=self._prediction,
        )
        await self._services.store.files.create(record)
        return self._services.links.content(record.id, record.name, expires_us=record.expires_us)

    async def _life_s(self) -> float:
        """At least as long as the input that links to it may be kept."""
        settings = self._services.settings
        account = await self._services.store.accounts.get(self._account)
        own_s = account.retention_s if account else None
        kept_s = settings.retention_s if own_s is None else own_s
        return max(settings.upload_ttl_s, settings.run_timeout_s + kept_s)

    async def _check_links(self, value: Any, field: str) -> None:
        if isinstance(value, str):
            await self._check_link(value, field)
        elif isinstance(value, list):
            for n, item in enumerate(cast(list[Any], value)):
                await self._check_links(item, f"{field}.{n}")
        elif isinstance(value, dict):
            for name, item in cast(dict[str, Any], value).items():
                await self._check_links(item, f"{field}.{name}")

    async def _check_link(self, url: str, field: str) -> None:
        id = self._services.links.own_file(url)
        if id is None:
            return
        record = await self._services.store.files.get(id)
        if record is None or record.expires_us <= self._now_us or not self._may_use(record, url):
            raise InputInvalid([FieldProblem("format", field, "This file does not exist, or is not yours")])

    def _may_use(self, record: FileRecord, url: str) -> bool:
        """Whoever may see it may; so may whoever has a signed link that is still good."""
        if may(self._caller, "see", record):
            return True
        signature = url.rsplit("/", 2)[-2] if f"/delivery/{record.id}/" in url else ""
        return self._services.links.opens(record.id, signature, now_us=self._now_us)


def read_data_uri(text: str) -> tuple[str, bytes]:
    """Content type and bytes of a data URI; ``ValueError`` where it is none."""
    head, comma, data = text[5:].partition(",")
    if not comma:
        raise ValueError("no comma")
    kind, _, last = head.rpartition(";")
    if last.strip().lower() != "base64":
        return head or "text/plain", unquote_to_bytes(data)
    raw = data if "%" not in data else unquote_to_bytes(data).decode("ascii")
    try:
        padded = raw + "=" * (-len(raw) % 4)
        return kind or "text/plain", base64.b64decode(padded, validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from None


async def _now(value: str) -> tuple[str, bytes]:
    return read_data_uri(value)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
