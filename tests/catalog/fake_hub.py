"""A hub on the loopback interface: the few endpoints, with Range, and the ways in which a hub can fail.

Large files are handed on to another host, as the real one does. What was asked is kept, with the token.
"""

import hashlib
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
LARGE = (".safetensors", ".bin")
PIECE_BYTES = 1 << 16
WITHIN_S = 60.0


@dataclass(frozen=True)
class Asked:
    path: str
    start: int | None
    """Where a Range begins, if there was one."""
    token: str | None
    host: str


@dataclass
class Hub:
    """What it has and how it behaves; a test changes that at any time."""

    url: str = ""
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    """Shown to everybody, given only to ``token``."""
    private: set[str] = field(default_factory=set)
    token: str = "hf_good"
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """By file: after how many bytes each next answer breaks off."""
    damaged: set[str] = field(default_factory=set)
    """Files that come with other bytes than announced."""
    ranges: bool = True
    failing: int | None = None
    """A status that all requests for files get."""
    holds: dict[str, int] = field(default_factory=dict)
    """By file: after how many bytes an answer waits for ``go_on``, having set ``held``."""
    held: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[Asked] = field(default_factory=list)

    def asked_for(self, file: str) -> list[Asked]:
        """The requests for the content of a file, where it really is."""
        return [one for one in self.asked if one.path.endswith(f"/content/{file}")]

    def listing(self, repo: str) -> bytes:
        files = self.repos[repo]
        return json.dumps(
            {"id": repo, "sha": COMMIT, "siblings": [_told(*item) for item in files.items()]}
        ).encode()


def _told(path: str, data: bytes) -> dict[str, object]:
    if path.endswith(LARGE):
        large = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return {"rfilename": path, "size": len(data), "blobId": "0" * 40, "lfs": large}
    git = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
    return {"rfilename": path, "size": len(data), "blobId": git}


@contextmanager
def fake_hub(tls: ssl.SSLContext | None = None) -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    hub.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join(WITHIN_S)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        start = re.match(r"bytes=(\d+)-", self.headers.get("range", ""))
        token = self.headers.get("authorization", "").removeprefix("Bearer ") or None
        self.hub.asked.append(Asked(path, int(start[1]) if start else None, token, self.headers["host"]))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
            self._list(found[1], found[2], token)
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(found[1], found[3], token)
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/content/(.+)", path):
            self._send(found[2], self.hub.repos[found[1]][found[2]], int(start[1]) if start else None)
        else:
            self._refuse(404)

    def _list(self, repo: str, revision: str, token: str | None) -> None:
        if repo not in self.hub.repos or (repo in self.hub.private and token != self.hub.token):
            self._refuse(404 if token == self.hub.token else 401, "RepoNotFound")
        elif revision not in ("main", COMMIT):
            self._refuse(404, "RevisionNotFound")
        else:
            self._answer(self.hub.listing(repo))

    def _resolve(self, repo: str, path: str, token: str | None) -> None:
        if repo in self.hub.gated and token != self.hub.token:
            self._refuse(403 if token else 401, "GatedRepo")
        elif self.hub.failing is not None:
            self._refuse(self.hub.failing)
        elif path.endswith(LARGE):
            port = self.server.server_address[1]
            self.send_response(302)
            self.send_header("location", f"http://localhost:{port}/{repo}/content/{path}")
            self.send_header("content-length", "0")
            self.end_headers()
        else:
            self._send(path, self.hub.repos[repo][path], None)

    def _send(self, path: str, data: bytes, start: int | None) -> None:
        if path in self.hub.damaged:
            data = data[:-1] + bytes([data[-1] ^ 1])
        start = start if self.hub.ranges else None
        body = data[start or 0 :]
        self.send_response(200 if start is None else 206)
        self.send_header("content-length", str(len(body)))
        if start is not None:
            self.send_header("content-range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        cut = self.hub.cuts[path].pop(0) if self.hub.cuts.get(path) else len(body)
        for at in range(0, min(cut, len(body)), PIECE_BYTES):
            if at >= self.hub.holds.get(path, len(body)):
                self.hub.held.set()
                assert self.hub.go_on.wait(WITHIN_S)
            self.wfile.write(body[at : min(at + PIECE_BYTES, cut)])
        self.close_connection = self.close_connection or cut < len(body)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.send_header("x-error-code", code)
        self.end_headers()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):  # a client that was killed
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass
