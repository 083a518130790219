"""A stream of OpenAI's chunks, made of the live logs of predictions: an event for each output, none merged.

Used by the endpoints that stream. A source for ``sse.EventStream``, which writes what is ready all at once.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from starlette.types import Receive, Scope, Send

from stoker.api.endpoint import Request
from stoker.api.http import sse
from stoker.api.openai import problems
from stoker.api.openai.answers import Counted, Finish, outcome, total
from stoker.api.openai.runs import Runs
from stoker.api.wire import encode
from stoker.runtime.live import Live

DONE = b"data: [DONE]\n\n"
MOST_AT_ONCE_BYTES = 256 * 1024
"""About how much one write takes."""
LINE_ENDS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))
"""What a few clients take for the end of a line, in JSON."""


class Shape(Protocol):
    """How the endpoint tells of what comes."""

    def opening(self, index: int) -> bytes: ...

    def piece(self, index: int, text: bytes) -> bytes: ...

    def closing(self, index: int, finish: Finish) -> bytes: ...

    def counted(self, usage: Counted | None) -> bytes: ...


class Choice:
    """How far one prediction has been told."""

    def __init__(self, index: int, live: Live):
        self.index = index
        self.live = live
        self.told = 0
        self.opened = False
        self.closed = False
        self.usage: Counted | None = None


class Chunks:
    """The chunks of a request's predictions. ``text_of`` makes a text of an output that came whole."""

    def __init__(self, runs: Runs, shape: Shape, *, text_of: Callable[[Any], str], most: int | None = None):
        self.ended = False
        self._runs = runs
        self._shape = shape
        self._text_of = text_of
        self._most = most
        self._choices = [Choice(index, live) for index, live in enumerate(runs.lives)]

    def take(self) -> bytes:
        taken: list[bytes] = []
        room = MOST_AT_ONCE_BYTES
        for choice in self._choices:
            room = self._take_pieces(choice, taken, room)
        if room > 0:
            taken += self._endings()
        return b"".join(taken)

    def subscribe(self, waker: Callable[[], None]) -> None:
        self._runs.subscribe(waker)

    def unsubscribe(self, waker: Callable[[], None]) -> None:
        self._runs.unsubscribe(waker)

    def _take_pieces(self, choice: Choice, taken: list[bytes], room: int) -> int:
        items = choice.live.items
        while choice.told < len(items) and room > 0:
            if not choice.opened:
                taken.append(self._shape.opening(choice.index))
                choice.opened = True
            event = self._shape.piece(choice.index, self._text(items[choice.told], choice.live))
            choice.told += 1
            room -= len(event)
            taken.append(event)
        return room

    def _text(self, item: bytes, live: Live) -> bytes:
        """A piece as a JSON string that holds no end of a line."""
        if item[:1] != b'"':
            value = msgspec.json.decode(item)
            item = encode(self._text_of(value))
        if b"\xe2\x80" in item or b"\xc2\x85" in item:
            for end, escaped in LINE_ENDS:
                item = item.replace(end, escaped)
        return item

    def _endings(self) -> list[bytes]:
        """What ends choices, and the stream."""
        if (problem := self._runs.problem) is not None:
            self.ended = True
            return [b"data: " + encode(problems.error_object(problem)) + b"\n\n"]
        endings: list[bytes] = []
        for choice in self._choices:
            if choice.live.over and not choice.closed:
                endings += self._close(choice)
        if all(choice.closed for choice in self._choices):
            self.ended = True
            endings += [self._shape.counted(total([choice.usage for choice in self._choices])), DONE]
        return endings

    def _close(self, choice: Choice) -> list[bytes]:
        choice.closed = True
        ended = outcome(choice.live.seen, self._most)
        choice.usage = ended.usage
        opening = b"" if choice.opened else self._shape.opening(choice.index)
        return [opening, self._shape.closing(choice.index, ended.finish)]


async def answer(request: Request, runs: Runs, source: Chunks) -> "Stream":
    """The streamed answer; what fails before the first output is raised, with a status of its own."""
    await runs.begun(request.receive)
    return Stream(runs, source)


class Stream(sse.EventStream):
    """Ends what still runs once its reader has gone."""

    def __init__(self, runs: Runs, source: Chunks):
        super().__init__(source, {"x-request-id": runs.first.id}, greeting=b"")
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._runs.close()
