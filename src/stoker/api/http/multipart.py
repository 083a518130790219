"""Multipart forms, read as they arrive: a part's bytes are passed on and never gathered here.

Used by the files API. ``python_multipart`` finds the boundaries; this turns its callbacks into parts.
"""

from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Literal

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from stoker.core.errors import BadRequest, TooLarge

Event = tuple[Literal["part", "name", "value", "header", "data", "end", "done"], bytes]


class Part:
    """One part of a form. Its bytes must be read before the next part is asked for."""

    def __init__(self, form: "Form", headers: dict[str, str]):
        _, options = parse_options_header(headers.get("content-disposition"))
        self.name = options.get(b"name", b"").decode(errors="replace")
        filename = options.get(b"filename")
        self.filename = None if filename is None else filename.decode(errors="replace")
        self.content_type = headers.get("content-type")
        self._form = form

    async def chunks(self) -> AsyncIterator[bytes]:
        """The part's bytes."""
        while (event := await self._form.next())[0] == "data":
            yield event[1]

    async def text(self, *, limit_bytes: int) -> str:
        """The whole part as text; ``TooLarge`` past the limit."""
        found = bytearray()
        async for chunk in self.chunks():
            found += chunk
            if len(found) > limit_bytes:
                raise TooLarge(f"The form field {self.name!r} is larger than {limit_bytes} bytes.")
        return found.decode(errors="replace")


class Form:
    """A multipart body. ``content_type`` is the request's header, ``stream`` its body."""

    def __init__(self, content_type: str, stream: AsyncIterator[bytes]):
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise BadRequest("The body must be multipart/form-data with a boundary.")
        self._stream = stream
        self._events: deque[Event] = deque()
        try:
            self._parser = MultipartParser(boundary, self._callbacks())
        except FormParserError as error:
            raise BadRequest(str(error)) from None

    async def parts(self) -> AsyncIterator[Part]:
        """The parts in order; raises ``BadRequest`` where the form is broken or cut off."""
        while (event := await self.next())[0] != "done":
            if event[0] == "part":
                yield Part(self, await self._headers())

    async def next(self) -> Event:
        """The next thing in the form."""
        while not self._events:
            await self._feed()
        return self._events.popleft()

    async def _feed(self) -> None:
        chunk = await anext(self._stream, b"")
        if not chunk:
            raise BadRequest("The form ends too early.")
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadRequest(f"The form cannot be read: {error}") from None

    async def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        name, value = b"", b""
        while True:
            kind, data = await self.next()
            if kind == "name":
                name += data
            elif kind == "value":
                value += data
            elif kind == "header" and name:
                headers[name.decode("latin-1").lower()] = value.decode("latin-1")
                name, value = b"", b""
            elif kind == "header":
                return headers

    def _callbacks(self) -> Any:
        events = self._events

        def add(kind: Any) -> Any:
            return lambda data=b"", start=0, end=0: events.append((kind, bytes(data[start:end])))

        return {
            "on_part_begin": add("part"),
            "on_header_field": add("name"),
            "on_header_value": add("value"),
            "on_header_end": add("header"),
            "on_headers_finished": add("header"),
            "on_part_data": add("data"),
            "on_part_end": add("end"),
            "on_end": add("done"),
        }
