"""The stream of one prediction: its outputs as server-sent events, live or replayed (section 8).

Whoever has the URL may read it. Event ids are ``<seconds of creation>:<n>``, n counting the outputs, so a
finished prediction replays with the ids it had while it ran.
"""

from collections.abc import Callable

import msgspec
from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import sse
from stoker.core.errors import NotFound
from stoker.core.prediction import INTERRUPTED, Prediction, Status
from stoker.runtime.live import Live

MOST_AT_ONCE_BYTES = 256 * 1024
"""About how much one write takes, so that a slow reader of a long replay holds no more in memory."""

_elements = msgspec.json.Decoder(list[msgspec.Raw])


async def text(request: Request) -> Response:
    """GET /streams/{key}"""
    return await _stream(request, request.path_params["key"])


async def files(request: Request) -> Response:
    """GET /files/stream-{key}: the JavaScript client makes files of what comes from such a path."""
    return await _stream(request, request.path_params["key"])


async def preflight(request: Request) -> Response:
    """OPTIONS, for browsers."""
    headers = {"access-control-allow-methods": "GET", "access-control-allow-headers": "last-event-id"}
    return Response(status_code=204, headers=_cors(request) | headers)


async def _stream(request: Request, key: str) -> Response:
    services = request.services
    live = services.dispatcher.live_by_stream_key(key)
    prediction = live.seen if live else await services.store.predictions.get_by_stream_key(key)
    if prediction is None or prediction.data_removed:
        raise NotFound
    known = await services.versions.get(prediction.version, model=prediction.model)
    source = Outputs(
        live or prediction,
        split=known is None or known.streams == "files" or known.version.iterates,
        after=request.fields.get("last-event-id"),
    )
    if source.ended:
        # The reader had the last event before it came back; this stops a browser from coming again.
        return Response(status_code=204, headers=_cors(request))
    return sse.EventStream(source, _cors(request))


def _cors(request: Request) -> dict[str, str]:
    """Browsers open streams with credentials, which a wildcard does not allow."""
    origin = request.fields.get("origin")
    if origin is None:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "vary": "origin",
    }


class Outputs:
    """A prediction's outputs as an event source (``sse.Source``), from its live log or as it was stored."""

    def __init__(self, of: Live | Prediction, *, split: bool, after: str | None = None):
        """``split`` makes an event of each element of a whole array (files, and ended iterators)."""
        self._live = of if isinstance(of, Live) else None
        self._prediction = of if isinstance(of, Prediction) else of.seen
        self._split = split
        self._prefix = self._living = _prefix(self._prediction.created_us)
        if self._live is None and self._prediction.error == INTERRUPTED:
            # Whoever read along may have had more than was kept: the numbers from then mean nothing now.
            self._prefix = _prefix(self._prediction.completed_us or 0)
        self._whole: list[bytes] | None = None
        self._next = self._resume((after or "").encode())
        self.ended = self._over and self._next > self._last

    def take(self) -> bytes:
        values = self._values()
        taken: list[bytes] = []
        n, room = self._next, MOST_AT_ONCE_BYTES
        while n < len(values) and room > 0:
            event = sse.json_event(b"output", b"%b%d" % (self._prefix, n), values[n])
            room -= len(event)
            taken.append(event)
            n += 1
        self._next = n
        if n >= len(values):
            taken += self._closing(len(values))
        return b"".join(taken)

    def subscribe(self, waker: Callable[[], None]) -> None:
        if self._live is not None:
            self._live.subscribe(waker)

    def unsubscribe(self, waker: Callable[[], None]) -> None:
        if self._live is not None:
            self._live.unsubscribe(waker)

    @property
    def _seen(self) -> Prediction:
        return self._live.seen if self._live is not None else self._prediction

    @property
    def _over(self) -> bool:
        return self._seen.status.is_final

    @property
    def _last(self) -> int:
        """The number of the last event of a prediction that is over."""
        return len(self._values()) + (1 if self._seen.status is Status.FAILED else 0)

    def _resume(self, after: bytes) -> int:
        """The number of the next event for a reader that had ``after``; a foreign id starts over."""
        number = after.removeprefix(self._prefix).removeprefix(self._living)
        following = int(number) + 1 if number.isdigit() and len(number) < 10 else 0
        return following if after.startswith(self._prefix) else min(following, len(self._values()))

    def _values(self) -> list[bytes]:
        """The outputs so far, each as JSON."""
        live = self._live
        if live is None:
            output = self._prediction.output
            return self._split_once(b"" if output is None else bytes(output))
        if live.iterates:
            return live.items
        return self._split_once(live.items[-1]) if live.items else []

    def _split_once(self, value: bytes) -> list[bytes]:
        if self._whole is None:
            if not value or value == b"null":
                self._whole = []
            elif self._split and value.lstrip()[:1] == b"[":
                self._whole = [bytes(element) for element in _elements.decode(value)]
            else:
                self._whole = [value]
        return self._whole

    def _closing(self, n: int) -> list[bytes]:
        """The last events, once the end is durable; nothing where the server stops before that."""
        if not self._over:
            self.ended = self._live is not None and self._live.released
            return []
        self.ended = True
        status, closing = self._seen.status, list[bytes]()
        reason = {Status.CANCELED: b'{"reason":"canceled"}', Status.FAILED: b'{"reason":"error"}'}
        if status is Status.FAILED:
            detail = msgspec.json.encode({"detail": self._seen.error or ""})
            if self._next <= n:
                closing.append(sse.json_event(b"error", b"%b%d" % (self._prefix, n), detail))
            n += 1
        closing.append(sse.json_event(b"done", b"%b%d" % (self._prefix, n), reason.get(status, b"{}")))
        return closing


def _prefix(moment_us: int) -> bytes:
    return b"%d:" % (moment_us // 1_000_000)
