"""A small HTTP server that speaks the contract to the command line, and misbehaves on order.

The real server has its own tests; here a test says what a server answers (a broken stream, a build that
fails, a prediction that never ends) and then looks at what the command asked for.
"""

import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "r8_" + "c" * 37
VERSION = "ab" * 32
FINAL = ("succeeded", "failed", "canceled")
WAIT_S = 20.0

Answer = tuple[int, Any]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class CutOff(Exception):
    """In a list of events: the connection breaks here, once."""


@dataclass
class FakeServer:
    """Set what it answers with before the command runs; read ``requests`` after."""

    requests: list[Request] = field(default_factory=list)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    predictions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The states that each GET of a prediction goes through; the last one stays."""
    next_states: list[dict[str, Any]] = field(default_factory=list)
    """What becomes of the next prediction that is created."""
    build_events: list[tuple[str, Any] | CutOff] = field(default_factory=list)
    stream_events: list[tuple[str, Any] | CutOff] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    overrides: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    """(method, path): the answers to give instead, one after the other."""
    instances: list[dict[str, Any]] = field(default_factory=list)
    """What runs, as ``/health`` tells it."""
    boots: list[dict[str, Any]] = field(default_factory=list)
    waits: dict[str, Any] = field(default_factory=dict)
    """Why predictions wait, by their ids."""
    paused: list[dict[str, Any]] = field(default_factory=list)
    """What failed to start, as ``/health`` tells it."""
    hold: dict[str, threading.Event] = field(default_factory=dict)
    """path: is not answered before this is set."""
    seen: dict[str, threading.Event] = field(default_factory=dict)
    """path: set as soon as it is asked for."""

    def start(self) -> "FakeServer":
        handler = type("Bound", (_Handler,), {"fake": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.public_url = self.base_url
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def stop(self) -> None:
        for event in self.hold.values():
            event.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(WAIT_S)

    def add_model(self, name: str, schema: dict[str, Any] | None, **fields: Any) -> None:
        owner, _, short = name.partition("/")
        latest = None
        if schema is not None:
            latest = {
                "id": VERSION,
                "created_at": "2026-11-20T10:00:00.123456Z",
                "cog_version": "0.23.1",
                "openapi_schema": schema,
            }
        self.models[name] = {
            "owner": owner,
            "name": short,
            "visibility": "private",
            "run_count": 3,
            "created_at": "2026-11-19T10:00:00.000000Z",
            "latest_version": latest,
        } | fields

    def prediction(self, id: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": id,
            "model": "local/story",
            "version": VERSION,
            "input": {},
            "output": None,
            "logs": "",
            "error": None,
            "status": "starting",
            "created_at": "2026-11-20T10:00:00.123456Z",
            "started_at": None,
            "completed_at": None,
            "data_removed": False,
            "metrics": {},
            "urls": {
                "get": f"{self.public_url}/v1/predictions/{id}",
                "cancel": f"{self.public_url}/v1/predictions/{id}/cancel",
                "web": f"{self.public_url}/p/{id}",
            },
        } | fields

    def asked(self, method: str, pattern: str) -> list[Request]:
        """The requests of that method whose whole path (query included) matches."""
        return [item for item in self.requests if item.method == method and re.fullmatch(pattern, item.path)]


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _serve(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.fake.requests.append(Request(self.command, self.path, headers, body))
        path = urlsplit(self.path).path
        if path in self.fake.seen:
            self.fake.seen[path].set()
        if path in self.fake.hold:
            self.fake.hold[path].wait(WAIT_S)
        if waiting := self.fake.overrides.get((self.command, path)):
            self._answer(*waiting.pop(0))
            return
        open_to_all = path.startswith(("/delivery/", "/v1/streams/")) or path == "/health"
        if not open_to_all and headers.get("authorization") != f"Bearer {TOKEN}":
            self._answer(
                401, {"title": "Unauthenticated", "detail": "You did not pass a valid token", "status": 401}
            )
            return
        self._route(path, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _route(self, path: str, body: bytes) -> None:
        for method, pattern, answer in _ROUTES:
            if method == self.command and (match := re.fullmatch(pattern, path)):
                result = answer(self, body, *match.groups())
                if result is not None:
                    self._answer(*result)
                return
        self._answer(404, {"detail": "The requested resource could not be found.", "status": 404})

    def _answer(self, status: int, value: Any) -> None:
        payload = value if isinstance(value, bytes) else b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if isinstance(value, dict) and (retry := value.get("retry_after")) is not None:
            self.send_header("Retry-After", str(retry))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _events(self, events: list[Any]) -> None:
        """Numbered from 1, from ``Last-Event-ID`` on; a ``CutOff`` is taken out of the list as it happens."""
        seen = int(self.headers.get("last-event-id") or 0)
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b": hi\n\n")
        number = 0
        for event in list(events):
            if isinstance(event, CutOff):
                events.remove(event)
                self.wfile.write(b"event: output\nid: 99\ndata: half an ev")
                return
            if (number := number + 1) > seen:
                kind, data = event
                text = data if isinstance(data, str) else json.dumps(data)
                lines = "".join(f"data: {line}\n" for line in text.split("\n"))
                self.wfile.write(f"event: {kind}\nid: {number}\n{lines}\n".encode())
                self.wfile.flush()

    # -- what it can be asked ------------------------------------------------------------------

    def account(self, _: bytes) -> Answer:
        return 200, {"type": "user", "username": "local", "name": "local"}

    def health(self, _: bytes) -> Answer:
        return 200, {
            "status": "ok",
            "version": "0.1.0",
            "instances": self.fake.instances,
            "paused": self.fake.paused,
        }

    def list_boots(self, _: bytes) -> Answer:
        wanted = parse_qs(urlsplit(self.path).query).get("model")
        return 200, {"results": [boot for boot in self.fake.boots if wanted in (None, [boot["model"]])]}

    def list_models(self, _: bytes) -> Answer:
        return self._page(list(self.fake.models.values()))

    def get_model(self, _: bytes, name: str) -> Answer:
        model = self.fake.models.get(name)
        return (200, model) if model else (404, {"detail": "The requested resource could not be found."})

    def create_model(self, body: bytes) -> Answer:
        wanted = json.loads(body)
        self.fake.add_model(f"{wanted['owner']}/{wanted['name']}", None, visibility=wanted["visibility"])
        return 201, self.fake.models[f"{wanted['owner']}/{wanted['name']}"]

    def list_versions(self, _: bytes, name: str) -> Answer:
        return self._page([self.fake.models[name]["latest_version"]])

    def get_version(self, _: bytes, name: str, id: str) -> Answer:
        latest = self.fake.models[name]["latest_version"]
        return (200, latest) if latest and latest["id"] == id else (404, {"detail": "No such version."})

    def missing(self, body: bytes) -> Answer:
        return 200, {
            "missing": [digest for digest in json.loads(body)["sha256"] if digest not in self.fake.blobs]
        }

    def put_blob(self, body: bytes, digest: str) -> Answer:
        if hashlib.sha256(body).hexdigest() != digest:
            return 422, {"detail": "The bytes have another digest.", "status": 422}
        self.fake.blobs[digest] = body
        return 201, {"sha256": digest, "size": len(body)}

    def create_build(self, body: bytes) -> Answer:
        return 201, {"id": "b1", "model": json.loads(body)["model"], "status": "building", "version": None}

    def get_build(self, _: bytes) -> Answer:
        return 200, {"id": "b1", "status": "succeeded", "version": VERSION, "error": None, "warnings": []}

    def follow_build(self, _: bytes) -> None:
        self._events(self.fake.build_events)

    def create_prediction(self, body: bytes) -> Answer:
        wanted = json.loads(body)
        states = [dict(state, input=wanted["input"]) for state in self.fake.next_states]
        self.fake.predictions[states[0]["id"]] = states
        return 201, states[0]

    def get_prediction(self, _: bytes, id: str) -> Answer:
        states = self.fake.predictions.get(id)
        if states is None:
            return 404, {"detail": "The requested resource could not be found.", "status": 404}
        return 200, states.pop(0) if len(states) > 1 else states[0]

    def get_wait(self, _: bytes, id: str) -> Answer:
        return 200, {"id": id, "status": "starting", "wait": self.fake.waits.get(id)}

    def list_predictions(self, _: bytes) -> Answer:
        return self._page([states[-1] for states in self.fake.predictions.values()])

    def cancel(self, _: bytes, id: str) -> Answer:
        state = self.fake.predictions[id][-1]
        if state["status"] not in FINAL:
            state = state | {"status": "canceled", "completed_at": "2026-11-20T10:00:05.000000Z"}
            self.fake.predictions[id][:] = [state]
        return 200, state

    def follow_prediction(self, _: bytes) -> None:
        self._events(self.fake.stream_events)

    def create_file(self, body: bytes) -> Answer:
        name = re.search(rb'filename="([^"]*)"', body)
        content = body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        id = f"f{len(self.fake.files)}"
        self.fake.files[id] = content
        url = f"{self.fake.public_url}/v1/files/{id}"
        return 201, {"id": id, "name": name[1].decode() if name else "", "urls": {"get": url}}

    def deliver(self, _: bytes, name: str) -> Answer:
        return (
            (200, self.fake.files[name]) if name in self.fake.files else (404, {"detail": "It has expired."})
        )

    def list_tokens(self, _: bytes) -> Answer:
        return 200, {
            "results": [_token("t1", "laptop"), _token("t2", "ci", revoked_at="2026-11-20T11:00:00Z")]
        }

    def create_token(self, body: bytes) -> Answer:
        return 201, _token("t3", json.loads(body)["name"], token="r8_" + "n" * 37)

    def delete_model(self, _: bytes, name: str) -> Answer:
        return (
            (204, None) if self.fake.models.pop(name, None) else (404, {"detail": "There is no such model."})
        )

    def revoke_token(self, _: bytes, id: str) -> Answer:
        return (204, None) if id == "t1" else (404, {"detail": "The requested resource could not be found."})

    def _page(self, items: list[Any]) -> Answer:
        """Two items a page, so that whoever wants all has to ask again."""
        at = int(parse_qs(urlsplit(self.path).query).get("cursor", ["0"])[0])
        more = f"{self.fake.public_url}{urlsplit(self.path).path}?cursor={at + 2}"
        return 200, {
            "results": items[at : at + 2],
            "next": more if len(items) > at + 2 else None,
            "previous": None,
        }


def _token(id: str, name: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "name": name,
        "hint": "r8_Hw***",
        "scope": "run",
        "created_at": "2026-11-20T10:00:00.000000Z",
        "expires_at": None,
        "last_used_at": None,
        "revoked_at": None,
    } | fields


_NAME = r"([\w.-]+/[\w.-]+)"

_ROUTES: list[tuple[str, str, Callable[..., Answer | None]]] = [
    ("GET", "/v1/account", _Handler.account),
    ("GET", "/health", _Handler.health),
    ("GET", "/v1/stoker/boots", _Handler.list_boots),
    ("GET", "/v1/models", _Handler.list_models),
    ("POST", "/v1/models", _Handler.create_model),
    ("GET", f"/v1/models/{_NAME}", _Handler.get_model),
    ("DELETE", f"/v1/models/{_NAME}", _Handler.delete_model),
    ("GET", f"/v1/models/{_NAME}/versions", _Handler.list_versions),
    ("GET", f"/v1/models/{_NAME}/versions/([0-9a-f]+)", _Handler.get_version),
    ("POST", "/v1/stoker/blobs/missing", _Handler.missing),
    ("PUT", "/v1/stoker/blobs/([0-9a-f]{64})", _Handler.put_blob),
    ("POST", "/v1/stoker/builds", _Handler.create_build),
    ("GET", "/v1/stoker/builds/b1", _Handler.get_build),
    ("GET", "/v1/stoker/builds/b1/events", _Handler.follow_build),
    ("GET", "/v1/predictions", _Handler.list_predictions),
    ("POST", "/v1/predictions", _Handler.create_prediction),
    ("GET", r"/v1/predictions/(\w+)", _Handler.get_prediction),
    ("POST", r"/v1/predictions/(\w+)/cancel", _Handler.cancel),
    ("GET", r"/v1/stoker/predictions/(\w+)/wait", _Handler.get_wait),
    ("GET", "/v1/streams/key", _Handler.follow_prediction),
    ("POST", "/v1/files", _Handler.create_file),
    ("GET", r"/delivery/([\w.-]+)", _Handler.deliver),
    ("GET", "/v1/stoker/tokens", _Handler.list_tokens),
    ("POST", "/v1/stoker/tokens", _Handler.create_token),
    ("DELETE", r"/v1/stoker/tokens/(\w+)", _Handler.revoke_token),
]
