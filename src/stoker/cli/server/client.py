"""The one door to the server: HTTP with the user's token, and failures as plain sentences.

Every command makes one ``Api`` with :func:`connect`. Whatever goes wrong is raised as
``click.ClickException``. The token goes to the server's API only: never to the address of a file.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import click
import httpx

from stoker.cli.server import credentials, problems

PATIENCE_S = 30.0
"""How long a server that is restarting, or says that it is busy, is asked again."""

LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")
_TIMEOUT = httpx.Timeout(60.0, connect=10.0, write=None, pool=None)
_UPLOAD_TIMEOUT = httpx.Timeout(600.0, connect=10.0, write=None, pool=None)


def connect() -> "Api":
    """The server that the environment names, else the one that ``serve`` stored; closed with the command."""
    found = credentials.resolve()
    if urlsplit(found.base_url).scheme not in ("http", "https") or not urlsplit(found.base_url).netloc:
        raise click.ClickException(
            f"REPLICATE_BASE_URL is {found.base_url!r}, which is not a URL like http://127.0.0.1:8080."
        )
    api = Api(found.base_url, found.token, is_stored=found.is_stored)
    click.get_current_context().call_on_close(api.close)
    return api


class Refused(click.ClickException):
    """The server answered that it will not; a failure that concerns this one request."""

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status

    @property
    def is_of_this_alone(self) -> bool:
        """Whether another request may well succeed: not so for a bad token or a server in trouble."""
        return self.status in (400, 403, 404, 409, 413, 422)


class Api:
    """Requests to one server. Paths begin behind ``/v1``: ``/models/acme/sketch``."""

    def __init__(self, base_url: str, token: str, *, is_stored: bool = False):
        self.base_url = base_url
        self._is_stored = is_stored
        self._auth = {"Authorization": f"Bearer {token}"}
        direct: dict[str, httpx.BaseTransport | None] = dict.fromkeys(LOOPBACK)
        self._http = httpx.Client(timeout=_TIMEOUT, mounts=direct, headers={"User-Agent": "stoker-cli"})

    def get(self, path: str, *, patience_s: float = 0.0) -> Any:
        """The answer's JSON; with patience, a server that is away for so long is waited for."""
        return self._json(self._ask("GET", path, patience_s=patience_s))

    def find(self, path: str) -> Any | None:
        """Like ``get``, but None where there is no such thing."""
        response = self._send("GET", self._url(path))
        return None if response.status_code == 404 else self._json(self._checked(response))

    def text(self, path: str) -> str:
        """An answer that is text."""
        return self._checked(self._send("GET", self._url(path))).text

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Any:
        return self._json(self._ask("POST", path, json=body, headers=self._auth | (headers or {})))

    def create(self, path: str, body: Any) -> Any | None:
        """Like ``post``, but None where that exists already."""
        response = self._send("POST", self._url(path), json=body)
        return None if response.status_code == 409 else self._json(self._checked(response))

    def patch(self, path: str, body: Any) -> Any:
        return self._json(self._ask("PATCH", path, json=body))

    def put(self, path: str, body: Any) -> Any:
        return self._json(self._ask("PUT", path, json=body))

    def post_file(self, path: str, name: str, content: Any, *, content_type: str | None = None) -> Any:
        """A multipart upload of one file, streamed from the open handle."""
        files = {"content": (name, content, content_type) if content_type else (name, content)}
        return self._json(self._ask("POST", path, files=files, timeout=_UPLOAD_TIMEOUT))

    def put_bytes(self, path: str, chunks: Callable[[], Iterable[bytes]], *, size_bytes: int) -> None:
        """Sends the bytes that ``chunks()`` gives; it is called again where they have to be sent again."""
        headers = self._auth | {
            "Content-Length": str(size_bytes),
            "Content-Type": "application/octet-stream",
        }
        options = {"headers": headers, "timeout": _UPLOAD_TIMEOUT}
        self._checked(self._send("PUT", self._url(path), content=chunks, **options))

    def health(self) -> Any:
        """The server's own state."""
        return self._json(self._checked(self._send("GET", f"{self.base_url}/health", headers=self._auth)))

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def pages(self, path: str, *, limit: int) -> Iterator[dict[str, Any]]:
        """The items of a paged list, at most so many, asking for pages only as they are needed."""
        query = ""
        while limit > 0:
            page = self.get(path + query)
            yield from page["results"][:limit]
            limit -= len(page["results"])
            if not page.get("next"):
                return
            query = "?" + urlsplit(page["next"]).query

    @contextmanager
    def open(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        with_token: bool = False,
        read_s: float = 60.0,
    ) -> Iterator[httpx.Response]:
        """A streamed GET of a full URL; the token goes along only where it is asked for."""
        sent = (self._auth if with_token else {}) | (headers or {})
        timeout = httpx.Timeout(read_s, connect=10.0)
        with self._http.stream("GET", url, headers=sent, timeout=timeout) as response:
            if response.is_error:
                response.read()
            yield response

    def close(self) -> None:
        self._http.close()

    def near(self, url: str, *, public_base: str) -> str:
        """One of the server's own URLs, by the address that we reach it under ourselves."""
        if public_base and url.startswith(public_base + "/"):
            return self.base_url + url.removeprefix(public_base)
        return url

    def _ask(self, method: str, path: str, *, patience_s: float = 0.0, **options: Any) -> httpx.Response:
        until = time.monotonic() + patience_s
        while True:
            try:
                response = self._send(method, self._url(path), **options)
                if response.status_code < 500 or time.monotonic() >= until:
                    return self._checked(response)
            except click.ClickException:
                if time.monotonic() >= until:
                    raise
            time.sleep(0.5)

    def _send(
        self, method: str, url: str, *, content: Callable[[], Iterable[bytes]] | None = None, **options: Any
    ) -> httpx.Response:
        """One request; where the server says "too many", the same again after the time it names."""
        options.setdefault("headers", self._auth)
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                response = self._http.request(method, url, content=content() if content else None, **options)
            except httpx.TransportError as error:
                raise click.ClickException(self.unreachable(error)) from error
            except UnicodeEncodeError as error:  # an argument whose bytes the locale could not read
                raise click.ClickException("What is to be sent is not UTF-8 text.") from error
            except httpx.InvalidURL as error:
                raise click.ClickException(f"{url!r} is not a URL that can be asked: {error}.") from error
            pause_s = _retry_after_s(response)
            if pause_s is None or time.monotonic() + pause_s > until:
                return response
            time.sleep(pause_s)

    def unreachable(self, error: httpx.TransportError) -> str:
        """Why no answer came, and what to do."""
        if isinstance(error, httpx.TimeoutException):
            return f"The server at {self.base_url} did not answer in time."
        if "CERTIFICATE" in str(error).upper():
            return (
                f"The certificate of {self.base_url} is not trusted here ({error}). "
                "Set SSL_CERT_FILE to the certificate of its authority."
            )
        if "SSL" in str(error):
            return f"{self.base_url} does not speak https. Is it {self.base_url.replace('https', 'http', 1)}?"
        if isinstance(error, httpx.ConnectError):
            return f"No server answers at {self.base_url}. Start one with 'stoker serve'."
        return f"The connection to {self.base_url} broke off ({error or type(error).__name__})."

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.status_code == 401 and self._is_stored:
            raise Refused(problems.TOKEN_REFUSED_STORED, 401)
        if not response.is_success:
            what = f"{response.request.method} {response.request.url.path}"
            raise Refused(
                problems.sentence(response.status_code, response.content, what=what), response.status_code
            )
        return response

    def _json(self, response: httpx.Response) -> Any:
        try:
            return json.loads(response.content) if response.content else None
        except ValueError as error:
            raise click.ClickException(
                f"What answers at {self.base_url} is not a Stoker server (its answer is not JSON)."
            ) from error

    def _url(self, path: str) -> str:
        return f"{self.base_url}/v1{path}"


def _retry_after_s(response: httpx.Response) -> float | None:
    if response.status_code != 429:
        return None
    named = response.headers.get("retry-after", "")
    return max(float(named), 0.2) if named.isdigit() else 1.0
