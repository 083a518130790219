"""Sends the files that the server does not have yet, several at once. Used by push."""

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

import click

from stoker.cli.pushing import source
from stoker.cli.pushing.source import Hashed
from stoker.cli.server.client import Api
from stoker.cli.terminal.screen import Screen

AT_ONCE = 4
_ASKED_AT_ONCE = 5000
"""Digests in one question; a body of it stays far below the server's limit."""


@dataclass(frozen=True)
class Sent:
    files: int
    size_bytes: int


def send_missing(api: Api, files: list[Hashed], screen: Screen) -> Sent:
    """Uploads what is missing, each content once; how much that was."""
    todo = _missing(api, {item.sha256: item for item in files})
    total = sum(item.file.size_bytes for item in todo)
    if todo:
        screen.phase("Uploading", total=total, unit="bytes")
        _send_all(api, todo, screen)
    return Sent(len(todo), total)


def _missing(api: Api, by_digest: dict[str, Hashed]) -> list[Hashed]:
    digests = sorted(by_digest)
    missing: list[str] = []
    for at in range(0, len(digests), _ASKED_AT_ONCE):
        asked = {"sha256": digests[at : at + _ASKED_AT_ONCE]}
        missing += api.post("/stoker/blobs/missing", asked)["missing"]
    return [by_digest[digest] for digest in missing]


def _send_all(api: Api, todo: list[Hashed], screen: Screen) -> None:
    """Largest first, so that the last one running is a short one; the first failure ends the rest."""
    stop = threading.Event()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            ordered = sorted(todo, key=lambda item: -item.file.size_bytes)
            running = [pool.submit(_send, api, item, screen, stop) for item in ordered]
            done, _ = wait(running, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _send(api: Api, item: Hashed, screen: Screen, stop: threading.Event) -> None:
    def chunks() -> Iterator[bytes]:
        return _watched(item, screen, stop)

    api.put_bytes(f"/stoker/blobs/{item.sha256}", chunks, size_bytes=item.file.size_bytes)


def _watched(item: Hashed, screen: Screen, stop: threading.Event) -> Iterator[bytes]:
    left = item.file.size_bytes
    for chunk in source.chunks(item.file.local):
        if stop.is_set():
            raise InterruptedError
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
        screen.advance(len(chunk))
    if left:
        raise click.ClickException(f"{item.file.path} changed while it was pushed. Push again.")
