"""Server-sent events that survive a broken connection: a build's progress, a prediction's tokens.

Used by push and run. After a break it asks again from the last event that it saw (``Last-Event-ID``), so
that nothing is lost and nothing comes twice.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import click
import httpx

from stoker.cli.server import problems
from stoker.cli.server.client import PATIENCE_S, Api

SILENCE_S = 45.0
"""The server says something at least every 15 seconds; after three times that the connection is dead."""


@dataclass(frozen=True)
class Event:
    kind: str
    data: str
    id: str


def follow(
    api: Api, url: str, *, last: frozenset[str], with_token: bool = False, patience_s: float = PATIENCE_S
) -> Iterator[Event]:
    """The events up to one of the ``last`` kinds, or to the server's word that there are no more (204).

    Gives up where the server stayed away for ``patience_s`` without a single new event.
    """
    seen, until = "", time.monotonic() + patience_s
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": seen} if seen else {})
        try:
            with api.open(url, headers=headers, with_token=with_token, read_s=SILENCE_S) as response:
                if response.status_code == 204:
                    return
                _check(response)
                for event in parse(response.iter_bytes()):
                    seen, until = event.id or seen, time.monotonic() + patience_s
                    yield event
                    if event.kind in last:
                        return
        except httpx.TransportError as error:
            if time.monotonic() > until:
                raise click.ClickException(api.unreachable(error)) from error
        if time.monotonic() > until:
            raise click.ClickException("The server stopped telling what happens, without an end.")
        time.sleep(0.3)


def parse(chunks: Iterator[bytes]) -> Iterator[Event]:
    """Events out of the bytes of a stream; what a broken connection cut off in the middle is dropped."""
    kind, id, data = "message", "", list[str]()
    for line in _lines(chunks):
        if not line:
            if data:
                yield Event(kind, "\n".join(data), id)
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            id = value


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    r"""Whole lines. Only ``\n`` and ``\r\n`` end one here; other separators are part of a model's text."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")


def _check(response: httpx.Response) -> None:
    """Raises for an answer that is no stream; a server that is only just starting (5xx) is asked again."""
    if response.status_code >= 500:
        raise httpx.RemoteProtocolError(f"status {response.status_code}")
    if response.is_error:
        what = f"GET {response.request.url.path}"
        raise click.ClickException(problems.sentence(response.status_code, response.content, what=what))
