"""The API that is copied from: reading it at the pace that it asks for, and trusting nothing that it says.

Used by the import alone. It only ever reads. An answer that is too large, no JSON, or of another shape ends
the import with a sentence. The token goes to the API, never to the address of a file.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import httpx
import msgspec

from stoker.cli.importing.shapes import SourcePage, shaped
from stoker.cli.server import problems
from stoker.cli.server.client import LOOPBACK
from stoker.cli.server.credentials import trimmed

T = TypeVar("T")

LARGEST_ANSWER_BYTES = 64 * 1024 * 1024
MOST_PAGES = 10_000
PATIENCE_S = 900.0
"""How long one request waits in all for a source that says "too many"."""
PAUSES_S = (0.5, 2.0, 8.0)
"""Between attempts at a source that fails or is away."""

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_READ_AS = "Set the token of the API that is copied from in STOKER_IMPORT_TOKEN, or give --token-file."


class SourceFailed(click.ClickException):
    """The source cannot be read any further; what was copied so far stays."""


class Source:
    """Paths begin behind ``/v1``. ``tell`` gets a line where the source lets us wait."""

    def __init__(self, base_url: str, token: str, *, tell: Callable[[str], None]):
        self.base_url = trimmed(base_url)
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise click.UsageError(f"--from {base_url!r} is not a URL like https://api.replicate.com/v1.")
        self.host = parts.netloc
        self._tell = tell
        self._auth = {"Authorization": f"Bearer {token}"}
        direct: dict[str, httpx.BaseTransport | None] = dict.fromkeys(LOOPBACK)
        self._http = httpx.Client(timeout=_TIMEOUT, mounts=direct, headers={"User-Agent": "stoker-cli"})

    def get(self, path: str, shape: type[T]) -> T:
        found = self.find(path, shape)
        if found is None:
            raise SourceFailed(f"{self.host} has no {path}.")
        return found

    def find(self, path: str, shape: type[T], *, absent: tuple[int, ...] = (404,)) -> T | None:
        """The answer in that shape; None where there is no such thing, or it is not ours to see."""
        status, body = self._read(path, absent)
        return None if status in absent else self._shaped(self._json(body, path), shape, path)

    def text(self, path: str) -> str:
        """An answer that is text; empty where there is none."""
        status, body = self._read(path)
        try:
            return "" if status == 404 else body.decode()
        except UnicodeDecodeError:
            raise SourceFailed(f"{self.host}: GET {path}: the answer is not text in UTF-8.") from None

    def pages(self, path: str, shape: type[T], *, most: int = MOST_PAGES) -> Iterator[list[T]]:
        """A paged list, page by page; nothing where there is no such list."""
        query, seen = "", set[str]()
        for _ in range(most):
            page = self.find(path + query, SourcePage)
            if page is None:
                return
            yield [self._shaped(item, shape, path) for item in page.results]
            if not page.next:
                return
            query = "?" + urlsplit(page.next).query
            if query in seen:
                raise SourceFailed(f"{self.host}: GET {path}: its pages lead in a circle.")
            seen.add(query)

    @contextmanager
    def download(self, url: str) -> Iterator[httpx.Response]:
        """The bytes of a file, streamed, without the token; redirects are not followed."""
        with self._http.stream("GET", url) as response:
            yield response

    def close(self) -> None:
        self._http.close()

    def _read(self, path: str, absent: tuple[int, ...] = (404,)) -> tuple[int, bytes]:
        """Status (200 or one of ``absent``) and body."""
        failures, until = list(PAUSES_S), time.monotonic() + PATIENCE_S
        while True:
            status, headers, body = self._ask(path)
            if status == 200 or status in absent:
                return status, body
            pause_s = self._pause_s(status, headers, body, failures)
            if pause_s is None or time.monotonic() + pause_s > until:
                raise SourceFailed(self._refusal(status, body, path))
            if status == 429 and pause_s >= 1:
                self._tell(f"{self.host} asks to come back in {pause_s:.0f} s.")
            time.sleep(pause_s)

    def _ask(self, path: str) -> tuple[int, httpx.Headers, bytes]:
        """One attempt; status 0 where no answer came, the reason in the body."""
        try:
            with self._http.stream("GET", f"{self.base_url}/v1{path}", headers=self._auth) as response:
                return response.status_code, response.headers, self._body(response, path)
        except (httpx.TransportError, httpx.DecodingError) as error:
            return 0, httpx.Headers(), str(error or type(error).__name__).encode()

    def _body(self, response: httpx.Response, path: str) -> bytes:
        """The whole of it, up to a size that no honest answer has."""
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER_BYTES:
                most = f"{LARGEST_ANSWER_BYTES >> 20} MiB"
                raise SourceFailed(f"{self.host}: GET {path}: the answer is larger than {most}.")
        return bytes(body)

    def _pause_s(
        self, status: int, headers: httpx.Headers, body: bytes, failures: list[float]
    ) -> float | None:
        """How long to wait before the next attempt; None where there is no use in one."""
        if status == 429:
            return _retry_after_s(headers, body)
        return failures.pop(0) if failures and (status == 0 or status >= 500) else None

    def _refusal(self, status: int, body: bytes, path: str) -> str:
        if status == 0:
            return f"{self.host} does not answer ({body.decode(errors='replace')})."
        if status == 401:
            return f"{self.host} does not accept the token. {_READ_AS}"
        return f"{self.host}: {problems.sentence(status, body, what=f'GET {path}')}"

    def _json(self, body: bytes, path: str) -> Any:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise SourceFailed(f"{self.host}: GET {path}: the answer is not JSON.") from None

    def _shaped(self, value: Any, shape: type[T], path: str) -> T:
        try:
            return shaped(value, shape)
        except msgspec.ValidationError as error:
            raise SourceFailed(f"{self.host}: GET {path}: not what the API gives there: {error}.") from None


def _retry_after_s(headers: httpx.Headers, body: bytes) -> float:
    """Seconds or a date (RFC 9110), else what the problem itself or the rate limit's header says."""
    named = headers.get("retry-after", "")
    if named.isdigit():
        return float(named)
    try:
        return max(0.0, parsedate_to_datetime(named).timestamp() - time.time())
    except ValueError:
        pass
    try:
        told = json.loads(body).get("retry_after")
    except (ValueError, AttributeError):
        told = None
    if isinstance(told, int | float):
        return max(0.0, float(told))
    reset = headers.get("ratelimit-reset", "")
    return float(reset) if reset.isdigit() else 1.0
