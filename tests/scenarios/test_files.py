"""Files of real models: streamed both ways, in parts, by links that expire, kept once and not for ever."""

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import MODELS, Pushed, StartServer
from tests.scenarios.api import create, ended, events, get, run
from tests.scenarios.machine import MIB, grows_less_than, project, until
from tests.servers import StokerServer
from tests.web_server import Web

LARGE = """
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def run(self, size_bytes: int) -> Path:
        block = bytes(range(256)) * 4096
        with open("large.bin", "wb") as file:
            for _ in range(size_bytes // len(block)):
                file.write(block)
        return Path("large.bin")
"""

READER = """
from urllib.request import urlopen

from cog import BaseRunner, Path

def contents(value):
    if isinstance(value, dict):
        return {name: contents(item) for name, item in value.items()}
    if isinstance(value, list):
        return [contents(item) for item in value]
    if isinstance(value, Path):
        return value.read_text()
    return urlopen(value).read().decode()

class Runner(BaseRunner):
    def run(self, one: Path, some: list[Path], table: dict) -> dict:
        return contents({"one": one, "some": some, "table": table})
"""

OTHER_TOKEN = "r8_" + "O" * 37


def upload(
    client: httpx.Client, data: bytes, name: str = "note.txt", kind: str = "text/plain"
) -> dict[str, Any]:
    answer = client.post("/v1/files", files={"content": (name, data, kind)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def a_link(client: httpx.Client, version: str, data: bytes = b"abcdefghij") -> str:
    """A link to a file of these bytes."""
    given = "data:text/plain;base64," + base64.b64encode(data[::-1]).decode()
    return run(client, version, {"source": given})["output"]


def blobs(server: StokerServer) -> set[str]:
    return {path.name for path in (server.data_dir / "blobs").glob("??/*")}


def test_a_gigabyte_passes_through_without_being_held(server: StokerServer, tmp_path: Path):
    version = server.push(project(tmp_path / "large", LARGE), "local/large")
    size = 1024 * MIB
    block = bytes(range(256)) * 4096
    with server.client() as client, grows_less_than(server, 150 * MIB):
        link = run(client, version, {"size_bytes": size})["output"]
        with client.stream("GET", link) as answer:
            assert answer.headers["content-length"] == str(size)
            assert sum(map(len, answer.iter_raw(MIB))) == size
        part = client.get(link, headers={"range": f"bytes={700 * MIB}-{701 * MIB - 1}"})
        assert (part.status_code, part.content) == (206, block)


def test_ranges(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        link = a_link(client, pushed("file_round_trip"))
        for asked, status, content, told in [
            ("bytes=0-3", 206, b"abcd", "bytes 0-3/10"),
            ("bytes=4-5", 206, b"ef", "bytes 4-5/10"),
            ("bytes=7-", 206, b"hij", "bytes 7-9/10"),
            ("bytes=-2", 206, b"ij", "bytes 8-9/10"),
            ("bytes=0-99", 206, b"abcdefghij", "bytes 0-9/10"),
            ("bytes=10-", 416, b"", "bytes */10"),
            ("bytes=99-100", 416, b"", "bytes */10"),
            ("bytes=-0", 416, b"", "bytes */10"),
            ("bytes=5-2", 200, b"abcdefghij", None),
            ("lines=1-2", 200, b"abcdefghij", None),
            ("bytes=0-1,4-5", 200, b"abcdefghij", None),
        ]:
            part = client.get(link, headers={"range": asked})
            assert (part.status_code, part.content) == (status, content), asked
            assert part.headers.get("content-range") == told, asked


def test_head_and_caching(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        link = a_link(client, pushed("file_round_trip"))
        head = client.head(link)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")
        assert head.headers["content-type"].startswith("text/plain")
        etag = head.headers["etag"]
        assert client.get(link, headers={"if-none-match": etag}).status_code == 304
        assert client.get(link, headers={"if-none-match": '"other"'}).status_code == 200
        part = {"range": "bytes=0-1"}
        assert client.get(link, headers=part | {"if-range": etag}).status_code == 206
        assert client.get(link, headers=part | {"if-range": '"other"'}).status_code == 200
        assert "max-age" in head.headers["cache-control"]


def test_what_a_model_made_never_runs_as_a_page(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        given = "data:text/html;base64," + base64.b64encode(b"<script>alert(1)</script>"[::-1]).decode()
        answer = client.get(run(client, pushed("file_round_trip"), {"source": given})["output"])
        assert answer.headers["content-type"].startswith("text/html")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_link_needs_no_token_but_its_own_signature(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        version = pushed("file_round_trip")
        link, other = a_link(client, version), a_link(client, version, b"other")
    *front, id, signed, name = link.split("/")
    expiry, _, signature = signed.partition("-")
    assert httpx.get(link).status_code == 200
    for wrong in [
        [id, f"{int(expiry) + 1}-{signature}", name],
        [id, f"{expiry}-{signature[:-1]}", name],
        [id, f"{expiry}-{'A' * len(signature)}", name],
        [id, f"1-{signature}", name],
        [id, "-", name],
        [other.split("/")[-3], signed, name],
        ["..", signed, name],
    ]:
        assert httpx.get("/".join([*front, *wrong])).status_code == 404, wrong


def test_an_upload_becomes_an_input(server: StokerServer, pushed: Pushed):
    data = os.urandom(3 * MIB)
    with server.client() as client:
        file = upload(client, data, "ph\u00f6to 1.png", "image/png")
        seen = run(client, pushed("input_files"), {"one": file["urls"]["get"]})["output"]["one"]
        assert (seen["suffix"], seen["size_bytes"]) == (".png", len(data))
        assert seen["sha256"] == hashlib.sha256(data).hexdigest() == file["checksums"]["sha256"]
        assert client.delete(f"/v1/files/{file['id']}").status_code == 204
        body = {"version": pushed("input_files"), "input": {"one": file["urls"]["get"]}}
        assert client.post("/v1/predictions", json=body).status_code == 422


def test_gotcha_12_a_model_gets_a_files_bytes_at_any_depth_of_its_input(server: StokerServer, tmp_path: Path):
    """A file input is a local file; anywhere else the model finds a link that anybody can open."""
    version = server.push(project(tmp_path / "reader", READER), "local/reader")
    with server.client() as client:
        one, two, three, four = (upload(client, b"file %d" % n, "a/b c")["urls"]["get"] for n in range(1, 5))
        table = {"a": three, "b": [[], {"c": [{"d": four}]}, one]}
        given = {"one": one, "some": [two, one], "table": table}
        made = run(client, version, given)
    assert made["status"] == "succeeded", made["error"]
    assert made["output"] == {
        "one": "file 1",
        "some": ["file 2", "file 1"],
        "table": {"a": "file 3", "b": [[], {"c": [{"d": "file 4"}]}, "file 1"]},
    }
    assert made["input"] == given


def test_inputs_of_every_origin_at_once(server: StokerServer, pushed: Pushed):
    with Web() as web, server.client() as client:
        web.files["/a%20b.jpg"] = b"from the web"
        web.redirects["/moved.jpg"] = f"{web.url}/a%20b.jpg"
        more = [
            upload(client, b"uploaded", "u.pdf")["urls"]["get"],
            a_link(client, pushed("file_round_trip"), b"an output"),
            f"{web.url}/a%20b.jpg",
            f"{web.url}/moved.jpg",
            "data:image/png;base64,aW4gZGF0YQ==",
            "data:,plain%20data",
        ]
        done = run(client, pushed("input_files"), {"more": more, "opened": more[0]})
    seen = [(part["sha256"], part["suffix"]) for part in done["output"]["more"]]
    wanted = [
        (b"uploaded", ".pdf"),
        (b"an output", ".txt"),
        (b"from the web", ".jpg"),
        (b"from the web", ".jpg"),
        (b"in data", ".png"),
        (b"plain data", ".txt"),
    ]
    assert seen == [(hashlib.sha256(data).hexdigest(), suffix) for data, suffix in wanted]
    assert done["output"]["opened"] == "uploaded"
    assert not any(text.startswith("data:") for text in done["input"]["more"])


def test_several_outputs_keep_their_order(server: StokerServer, pushed: Pushed):
    """The first is the largest, and takes the longest to be taken over."""
    with server.client() as client:
        links = run(client, pushed("output_files"), {"big_bytes": 30_000_000})["output"]
        assert [client.head(link).headers["content-length"] for link in links] == ["30000000", "13", "14"]
        assert [client.get(link).text for link in links[1:]] == ["small one.txt", "small#two?.txt"]
        assert links[0].endswith("/big.bin")


def test_files_are_streamed_as_they_come(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        made = create(client, pushed("iterator_of_files"), {"count": 5})
        found = events(client, made["urls"]["stream"])
        links = [event["data"] for event in found if event["event"] == "output"]
        assert [client.get(link).text for link in links] == [f"frame {n}" for n in range(5)]
        assert ended(client, made["id"])["output"] == links
        assert events(client, made["urls"]["stream"]) == found


def test_the_same_content_is_kept_once(server: StokerServer, pushed: Pushed):
    with server.client() as client:
        data = os.urandom(1000)
        first = a_link(client, pushed("file_round_trip"), data)
        before = blobs(server)
        assert hashlib.sha256(data).hexdigest() in before
        second = a_link(client, pushed("file_round_trip"), data)
        upload(client, data)
        assert blobs(server) == before
        assert first != second
        assert client.get(second).content == data


def test_a_file_of_another_account_is_refused(start_server: StartServer):
    first = start_server()
    done = first.stoker("push", "--public", str(MODELS / "input_files"), "local/input_files")
    assert done.returncode == 0, done.stderr
    with first.client() as client:
        file = upload(client, b"mine")
    first.stop()
    others = {"STOKER_ACCOUNT": "other", "STOKER_BOOTSTRAP_TOKEN": OTHER_TOKEN}
    second = start_server("--port", str(first.port), data_dir=first.data_dir, **others)
    body = {"version": "local/input_files", "input": {"one": file["urls"]["get"]}}
    with second.client() as mine, second.client() as other:
        other.headers["authorization"] = f"Bearer {OTHER_TOKEN}"
        assert other.get("/v1/account").json()["username"] == "other"
        refused = other.post("/v1/predictions", json=body)
        assert refused.status_code == 422
        assert refused.json()["invalid_fields"][0]["field"] == "input.one"
        assert other.get(file["urls"]["get"]).status_code == 404
        assert other.delete(file["urls"]["get"]).status_code == 404
        id = mine.post("/v1/predictions", json=body).json()["id"]
        assert ended(mine, id)["status"] == "succeeded"
        assert other.get(f"/v1/predictions/{id}").status_code == 404
        assert other.post(f"/v1/predictions/{id}/cancel").status_code == 404
        assert other.get("/v1/predictions").json()["results"] == []


def test_nothing_is_kept_for_ever(start_server: StartServer):
    """Links end by themselves; the sweep, which runs at every start too, takes the data and the bytes."""
    short = {"STOKER_RETENTION_S": "0.5", "STOKER_RUN_TIMEOUT_S": "2", "STOKER_UPLOAD_TTL_S": "2"}
    server = start_server(**short)
    version = server.push(MODELS / "file_round_trip", "local/file_round_trip")
    with server.client() as client:
        file = upload(client, b"some input")
        done = run(client, version, {"source": file["urls"]["get"]})
        assert client.get(done["output"]).content == b"tupni emos"
        until(lambda: client.get(done["output"]).status_code == 404, "the link has expired")
        until(lambda: client.get(file["urls"]["get"]).status_code == 404, "the upload has expired")
    server.stop()
    for blob in (server.data_dir / "blobs").glob("??/*"):
        os.utime(blob, (0, 0))  # the sweep leaves young bytes alone
    server.start()
    kept = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (MODELS / "file_round_trip").iterdir()}
    until(lambda: blobs(server) == kept, "only the version's source is left")
    with server.client() as client:
        empty = get(client, done["id"])
        assert empty["status"] == "succeeded"
        assert (empty["data_removed"], empty["input"], empty["output"], empty["logs"]) == (True, {}, None, "")
        assert ended(client, create(client, version, {"source": "data:,new"})["id"])["status"] == "succeeded"
