"""A small web server in a thread: gives files, redirects, and remembers what was asked and posted."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Posted:
    def __init__(self, path: str, headers: dict[str, str], body: bytes):
        self.path, self.headers, self.body = path, headers, body


class Web:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []
        self.posted: list[Posted] = []
        self.statuses: list[int] = []
        """Answers to the next posts; 200 when empty."""
        self.arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Web":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def await_posts(self, count: int) -> list[Posted]:
        """The posts so far, once there are that many."""
        return self.await_that(lambda posts: len(posts) >= count)

    def await_that(self, holds: Callable[[list[Posted]], bool], timeout_s: float = 30) -> list[Posted]:
        """The posts so far, once something holds of them."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: holds(self.posted), timeout_s), self.posted
            return list(self.posted)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.seen.append(("GET", self.path))
                if self.path in web.redirects:
                    self.send_response(302)
                    self.send_header("location", web.redirects[self.path])
                    self._end(b"")
                elif self.path in web.files:
                    self.send_response(200)
                    self._end(web.files[self.path])
                else:
                    self.send_response(404)
                    self._end(b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with web.arrived:
                    web.posted.append(
                        Posted(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                    )
                    status = web.statuses.pop(0) if web.statuses else 200
                    web.arrived.notify_all()
                self.send_response(status)
                self._end(b"")

            def _end(self, body: bytes) -> None:
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return Handler
