"""An API to import from that answers as a test says: well, badly, or not at all. Used by ``test_import``."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

VERSION = "d" * 64
SCHEMA = {"openapi": "3.0.2", "components": {"schemas": {"Input": {"type": "object"}, "Output": {}}}}
MOMENT = "2024-05-01T10:00:00.5Z"


class Answer(NamedTuple):
    body: Any = ""
    """Bytes as they are; anything else as JSON."""
    status: int = 200
    headers: Mapping[str, str] = {}


class ScriptedSource:
    """``answers``: by path and query, behind ``/v1``; 404 for all others. ``first`` come before those."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.first: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, str | None]] = []
        """Path and Authorization header of every request."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "ScriptedSource":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def page(self, path: str, *results: Any, next: str | None = None) -> None:
        """A page of a list; ``next`` is the query of the one after it."""
        following = f"{self.url}/v1{path.partition('?')[0]}?{next}" if next else None
        self.answers[path] = {"results": list(results), "next": following, "previous": None}

    def model(self, ref: str, **fields: Any) -> None:
        """A model with one version, a README, and no examples."""
        owner, _, name = ref.partition("/")
        about = {"owner": owner, "name": name, "visibility": "private", "run_count": 1}
        self.answers[f"/models/{ref}"] = about | {"unknown": [1]} | fields
        self.answers[f"/models/{ref}/readme"] = b"# Read me\n"
        version = {"id": VERSION, "created_at": MOMENT, "cog_version": "0.9.5", "openapi_schema": SCHEMA}
        self.page(f"/models/{ref}/versions", version)
        self.page(f"/models/{ref}/examples")

    def _answer(self, path: str) -> Answer:
        path = path.removeprefix("/v1")
        if self.first.get(path):
            return self.first[path].pop(0)
        answer = self.answers.get(path, Answer({"detail": "Not here", "status": 404}, 404))
        return answer if isinstance(answer, Answer) else Answer(answer)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        source = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                source.asked.append((self.path, self.headers["authorization"]))
                answer = source._answer(self.path)
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return Handler


def past(id: str, **fields: Any) -> dict[str, Any]:
    """A prediction that is over, as an API lists it."""
    return {
        "id": id,
        "model": "acme/kite",
        "version": VERSION,
        "status": "succeeded",
        "created_at": MOMENT,
        "started_at": MOMENT,
        "completed_at": MOMENT,
        "input": {},
        "output": "text",
        "error": None,
        "metrics": {"predict_time": 1},
        "urls": {},
    } | fields
