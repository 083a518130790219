"""A form with a file in it, as the endpoints for audio get it: the file is stored as it comes."""

from typing import Any, NamedTuple

from stoker.api.endpoint import Request
from stoker.api.http.bodies import too_large
from stoker.api.http.multipart import Form
from stoker.api.openai.drafts import refusal
from stoker.api.uploads import DEFAULT_TYPE, FIELD_LIMIT_BYTES, MOST_FIELDS, NAME_LIMIT_BYTES, limited
from stoker.ports.blobs import Blob

FORM_BYTES = 1024 * 1024
"""What a form may take beside the file."""


class Sent(NamedTuple):
    blob: Blob
    name: str
    content_type: str
    fields: dict[str, Any]
    """The other fields: a text each, or a list of them where the name says so (``name[]``)."""


async def read(request: Request) -> Sent:
    """Reads the whole form. Nothing refers to its file yet; it goes by itself if that stays so."""
    limit_bytes = request.services.settings.upload_limit_bytes
    length = request.fields.get("content-length", "")
    if length.isdigit() and int(length) > limit_bytes + FORM_BYTES:
        raise too_large(limit_bytes)
    fields: dict[str, Any] = {}
    sent: Sent | None = None
    async for part in Form(request.fields.get("content-type", ""), request.stream()).parts():
        if part.name == "file" and sent is None:
            blob = await request.services.blobs.put(limited(part, limit_bytes), limit_bytes=limit_bytes)
            sent = Sent(blob, part.filename or "audio", part.content_type or DEFAULT_TYPE, fields)
        elif len(fields) < MOST_FIELDS:
            _add(fields, part.name, await part.text(limit_bytes=FIELD_LIMIT_BYTES))
    if sent is None:
        raise refusal("file", "file is required")
    if len(sent.name.encode()) > NAME_LIMIT_BYTES:
        raise refusal("file", f"Its name must be at most {NAME_LIMIT_BYTES} bytes long")
    return sent


def _add(fields: dict[str, Any], name: str, text: str) -> None:
    if name.endswith("[]"):
        fields.setdefault(name[:-2], []).append(text)
    else:
        fields[name] = text
