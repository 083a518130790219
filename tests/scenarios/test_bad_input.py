"""Requests that nobody should send: each gets a problem that says why, and the next prediction works."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Pushed
from tests.scenarios.api import create, run
from tests.scenarios.machine import MIB, YAML, grows_less_than, project
from tests.servers import TOKEN, StokerServer
from tests.web_server import Web

ABSENT = "0" * 64


@pytest.fixture(autouse=True)
def unharmed(server: StokerServer, pushed: Pushed) -> Iterator[None]:
    """Whatever the test did, the server answers and the next prediction works."""
    version = pushed("empty")
    yield
    with server.client() as client:
        assert client.get("/health").status_code == 200
        assert run(client, version, {"text": "still here"})["output"] == "still here"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem in an answer, which must be one in form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], bool(told["detail"])) == (status, True)
    return told


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b'{"input": {"text": NaN}, "version": "x"}',
        b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"input": {"text": "\\ud800"}, "version": "x"}',
    ],
    ids=["empty", "cut off", "not UTF-8", "NaN", "very deep", "half a character"],
)
def test_malformed_json(server: StokerServer, body: bytes):
    with server.client() as client:
        problem(client.post("/v1/predictions", content=body), 400)


@pytest.mark.parametrize(
    "change",
    [
        {"input": None},
        {"input": []},
        {"input": {"number": "many"}},
        {"input": {"style": {"a": 1}}},
        {"version": 5},
        {"webhook": 5},
        {"webhook_events_filter": "completed"},
        {"webhook_events_filter": ["whenever"]},
        {"colour": "blue"},
    ],
    ids=json.dumps,
)
def test_wrong_types_and_unknown_fields(server: StokerServer, pushed: Pushed, change: dict[str, Any]):
    body = {"version": pushed("input_types"), "input": {}} | change
    with server.client() as client:
        told = problem(client.post("/v1/predictions", json=body), 422)
    assert told["invalid_fields"]


@pytest.mark.parametrize(
    "name", ["", "/", ":", "no", ABSENT, "local/no", f"local/empty:{ABSENT}", "a/" * 9999]
)
def test_unknown_versions(server: StokerServer, name: str):
    with server.client() as client:
        problem(client.post("/v1/predictions", json={"version": name, "input": {}}), 422)


def test_unknown_things(server: StokerServer):
    with server.client() as client:
        for path in ("predictions/no", "models/local/no", "models/local/empty/versions/no", "files/no", "no"):
            problem(client.get(f"/v1/{path}"), 404)
        for path in ("streams/no", "predictions/%00", "predictions/%ff", "predictions?cursor=no"):
            problem(client.get(f"/v1/{path}"), 404)
        problem(client.post("/v1/models/local/no/predictions", json={"input": {}}), 404)
        problem(client.post("/v1/predictions/no/cancel"), 404)
        problem(client.put("/v1/predictions"), 405)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer r8_wrong", f"Basic {TOKEN}", "Bearer " + "x" * 60_000]
)
def test_bad_tokens(server: StokerServer, header: str):
    for path in ("predictions", "models", "account", "files", "stoker/tokens"):
        answer = httpx.get(f"{server.base_url}/v1/{path}", headers={"authorization": header})
        assert problem(answer, 401)["title"] == "Unauthenticated"
    answer = httpx.post(f"{server.base_url}/v1/predictions", headers={"authorization": header}, content=b"{")
    problem(answer, 401)


def test_oversized_bodies_are_refused_before_they_are_read(server: StokerServer):
    def endless() -> Iterator[bytes]:
        for _ in range(1024):
            yield b" " * MIB

    with server.client() as client, grows_less_than(server, 150 * MIB):
        problem(client.post("/v1/predictions", content=b" " * (33 * MIB)), 413)
        problem(client.post("/v1/predictions", content=endless()), 413)
        problem(client.post("/v1/files", files={"content": ("big", b"x" * (101 * MIB))}), 413)


@pytest.mark.parametrize(
    "text",
    ["build: [unclosed", "\0", "- a\n- b\n", "run: nowhere.py:Runner\n", YAML + "run: run.py:Runner\n", ""],
)
def test_a_broken_cog_yaml(server: StokerServer, tmp_path: Path, text: str):
    folder = project(tmp_path / "broken", yaml=text)
    done = server.stoker("push", str(folder), "local/broken")
    assert done.returncode == 1
    assert "cog.yaml" in done.stderr.partition("Error: The build failed. ")[2]
    assert "Traceback" not in done.stderr
    with server.client() as client:
        assert client.get("/v1/models/local/broken").status_code == 404, "an empty model is not left behind"


@pytest.mark.parametrize("path", ["../out.py", "/etc/cron.d/x", "a/../../b", "a//b", ".", "a\0b", ".cog/x"])
def test_a_source_tree_that_escapes(server: StokerServer, path: str):
    files = [
        {"path": "cog.yaml", "sha256": ABSENT, "size_bytes": 1},
        {"path": path, "sha256": ABSENT, "size_bytes": 1},
    ]
    with server.client() as client:
        told = problem(client.post("/v1/stoker/builds", json={"model": "local/empty", "files": files}), 422)
    assert repr(path) in told["detail"]


def test_bytes_that_are_not_what_they_are_said_to_be(server: StokerServer):
    with server.client() as client:
        problem(client.put(f"/v1/stoker/blobs/{ABSENT}", content=b"other"), 422)
        problem(client.put("/v1/stoker/blobs/..%2f..%2fout", content=b"x"), 404)
        problem(client.put("/v1/stoker/blobs/no", content=b"x"), 422)
        asked = client.post("/v1/stoker/blobs/missing", json={"sha256": [ABSENT]})
        assert asked.json() == {"missing": [ABSENT]}


@pytest.mark.parametrize(
    "url", ["no", "", "ftp://a/b", "http://", "http://[::1", "javascript:alert(1)", "file:///etc/passwd"]
)
def test_bad_webhook_urls(server: StokerServer, pushed: Pushed, url: str):
    body = {"version": pushed("empty"), "input": {}, "webhook": url}
    with server.client() as client:
        told = problem(client.post("/v1/predictions", json=body), 422)
    assert told["invalid_fields"][0]["field"] == "webhook"


def test_webhooks_that_nobody_takes_hold_nothing_up(server: StokerServer, pushed: Pushed):
    """The last of them takes the connection and never answers."""
    urls = ["http://no.invalid/", "http://host:99999/", "http://" + "a" * 300 + ".com/"]
    with server.client() as client, socket.create_server(("127.0.0.1", 0)) as silent, Web() as web:
        for url in [*urls, f"http://127.0.0.1:{silent.getsockname()[1]}/"]:
            assert run(client, pushed("empty"), {}, webhook=url)["status"] == "succeeded"
        run(client, pushed("empty"), {}, webhook=web.url)
        web.await_posts(1)


@pytest.mark.parametrize(
    "given",
    [
        "data:image/png;base64,@@@@",
        "data:nothing",
        "/etc/passwd",
        "file:///etc/passwd",
        "no",
        "",
        "ftp://a/b",
    ],
)
def test_file_inputs_that_are_no_files(server: StokerServer, pushed: Pushed, given: str):
    with server.client() as client:
        for name, value in (("one", given), ("more", [given]), ("opened", given)):
            body = {"version": pushed("input_files"), "input": {name: value}}
            told = problem(client.post("/v1/predictions", json=body), 422)
            assert told["invalid_fields"][0]["field"].startswith(f"input.{name}")


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest",
        "http://[fd00::1]/x",
        "http://[::ffff:10.0.0.1]/x",
        "http://0x0a.1/x",
    ],
)
def test_file_inputs_at_private_addresses(server: StokerServer, pushed: Pushed, url: str):
    with server.client() as client:
        failed = run(client, pushed("input_files"), {"one": url})
    assert failed["status"] == "failed"
    assert "is a private address" in failed["error"]


def test_file_inputs_that_cannot_be_had(server: StokerServer, pushed: Pushed):
    with Web() as web, server.client() as client:
        web.redirects["/away"] = "http://10.0.0.1/x"
        web.redirects["/round"] = f"{web.url}/round"
        for path, words in (("/no.png", "404"), ("/away", "private address"), ("/round", "cannot fetch")):
            failed = run(client, pushed("input_files"), {"one": web.url + path})
            assert failed["status"] == "failed"
            assert failed["error"].startswith("Input validation error: "), failed["error"]
            assert words in failed["error"]


def test_a_broken_push_does_not_disturb_the_model(server: StokerServer, pushed: Pushed, tmp_path: Path):
    good = pushed("empty")
    folder = project(tmp_path / "bad", code="raise RuntimeError('no luck')\n")
    done = server.stoker("push", str(folder), "local/empty")
    assert done.returncode == 1
    assert "no luck" in done.stderr
    with server.client() as client:
        assert client.get("/v1/models/local/empty").json()["latest_version"]["id"] == good
        assert create(client, "local/empty")["version"] == good
