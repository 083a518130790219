"""A file that is being uploaded: the form of section 5.8 in all the encodings that clients use."""

import re
from collections.abc import AsyncIterator
from typing import Any, cast

from stoker.api.http import bodies
from stoker.api.http.multipart import Form, Part
from stoker.core.errors import BadRequest, FieldProblem, InputInvalid
from stoker.ports.blobs import Blob, Blobs

NAME_LIMIT_BYTES = 255
FIELD_LIMIT_BYTES = 64 * 1024
MOST_FIELDS = 200
DEFAULT_TYPE = "application/octet-stream"

_TYPE = re.compile(r"^[\w!#$&^.+-]+/[\w!#$&^.+-]+(;[ -~]*)?\Z", re.ASCII)
_BRACKETS = re.compile(r"^metadata\[([^\]]+)\]$")


class Upload:
    """What was read of a form."""

    def __init__(self) -> None:
        self.blob: Blob | None = None
        self.name = ""
        self.content_type = DEFAULT_TYPE
        self.metadata: dict[str, Any] = {}
        self._fields = 0

    async def read(self, form: Form, blobs: Blobs, *, limit_bytes: int) -> None:
        """Stores the ``content`` part as it comes; the other parts describe it, before or after."""
        name, kind = None, None
        async for part in form.parts():
            if part.name == "content" and self.blob is None:
                self.name = part.filename or "upload"
                self.content_type = part.content_type or DEFAULT_TYPE
                self.blob = await blobs.put(limited(part, limit_bytes), limit_bytes=limit_bytes)
                continue
            text = await self._field(part)
            if part.name == "filename":
                name = text
            elif part.name == "type":
                kind = text
            elif part.name == "metadata":
                self.metadata |= _object(text)
            elif found := _BRACKETS.match(part.name):
                self.metadata[found[1]] = text
        self.name = name or self.name
        self.content_type = kind or self.content_type
        self._check()

    async def _field(self, part: Part) -> str:
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise InputInvalid([FieldProblem("invalid", "metadata", "Has too many fields")])
        return await part.text(limit_bytes=FIELD_LIMIT_BYTES)

    def _check(self) -> None:
        if self.blob is None:
            raise InputInvalid([FieldProblem("required", "", "content is required")])
        if len(self.name.encode()) > NAME_LIMIT_BYTES:
            text = f"Must be at most {NAME_LIMIT_BYTES} bytes long"
            raise InputInvalid([FieldProblem("string_lte", "filename", text)])
        if not _TYPE.match(self.content_type):
            raise InputInvalid([FieldProblem("format", "type", "Is not a media type")])


async def limited(part: Part, limit_bytes: int) -> AsyncIterator[bytes]:
    """The part's bytes; raises ``TooLarge`` past the limit."""
    size = 0
    async for chunk in part.chunks():
        size += len(chunk)
        if size > limit_bytes:
            raise bodies.too_large(limit_bytes)
        yield chunk


def _object(text: str) -> dict[str, Any]:
    try:
        value = bodies.json(text.encode())
    except BadRequest:
        value = None
    if not isinstance(value, dict):
        raise InputInvalid([FieldProblem("invalid_type", "metadata", "Invalid type. Expected: object")])
    return cast(dict[str, Any], value)
