"""The files API: section 5.8, gotcha 30."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

from stoker.api.resources.files import sign
from tests.contract.platform import Platform
from tests.contract.story import story, story_with

CONTENT = bytes(range(256)) * 1000


@story
async def test_upload_list_get_delete(p: Platform) -> None:
    response = await p.client.post("/files", files={"content": ("photo.jpg", CONTENT, "image/jpeg")})
    made = response.json()
    assert response.status_code == 201
    assert len(made["id"]) == 48
    assert re.fullmatch("[0-9a-f-]{36}", base64.b64decode(made["id"]).decode())
    md5, sha256 = hashlib.md5(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest()
    assert made | {"id": "", "created_at": "", "expires_at": ""} == {
        "id": "",
        "name": "photo.jpg",
        "content_type": "image/jpeg",
        "size": len(CONTENT),
        "etag": md5,
        "checksums": {"sha256": sha256, "md5": md5},
        "metadata": {},
        "created_at": "",
        "expires_at": "",
        "urls": {"get": f"{p.base}/v1/files/{made['id']}"},
    }
    assert (await p.client.get(made["urls"]["get"])).json() == made
    assert (await p.client.get("/files")).json() == {"next": None, "previous": None, "results": [made]}
    for response in (await p.other.get(made["urls"]["get"]), await p.other.delete(made["urls"]["get"])):
        assert response.status_code == 404
    assert (await p.other.get("/files")).json()["results"] == []
    response = await p.client.delete(made["urls"]["get"])
    assert (response.status_code, response.content) == (204, b"")
    assert (await p.client.get(made["urls"]["get"])).status_code == 404


@story
async def test_gotcha_30_metadata_in_three_encodings(p: Platform) -> None:
    content = ("content", ("x.txt", b"x", "text/plain"))
    for parts in (
        [content, ("metadata", (None, '{"a": "1", "b": "two"}'))],
        [("metadata", (None, '{"a": "1", "b": "two"}', "application/json")), content],
        [("metadata[a]", (None, "1")), content, ("metadata[b]", (None, "two"))],
    ):
        made = (await p.client.post("/files", files=parts)).json()
        assert made["metadata"] == {"a": "1", "b": "two"}
        assert (await p.client.get(made["urls"]["get"])).json()["metadata"] == {"a": "1", "b": "two"}


@story
async def test_filename_and_type_fields_go_before_the_part_headers(p: Platform) -> None:
    parts = {
        "content": ("upload", b"x", "application/octet-stream"),
        "filename": (None, "photo \u00fc.jpg"),
        "type": (None, "image/jpeg"),
    }
    made = (await p.client.post("/files", files=parts)).json()
    assert (made["name"], made["content_type"]) == ("photo \u00fc.jpg", "image/jpeg")


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


@story
async def test_forms_by_the_byte_and_without_a_length(p: Platform) -> None:
    part = b'Content-Disposition: form-data; name="content"; filename="x.bin"\r\n\r\na\r\n--\r\n--bx'
    whole = form(part, b'content-disposition: form-data; name="ignored"\r\n\r\nsomething')

    async def bytewise() -> AsyncIterator[bytes]:
        for n in range(len(whole)):
            yield whole[n : n + 1]

    headers = {"content-type": "multipart/form-data; boundary=b"}
    for content in (whole, bytewise()):
        made = (await p.client.post("/files", content=content, headers=headers)).json()
        assert (made["name"], made["size"]) == ("x.bin", len(b"a\r\n--\r\n--bx"))
        assert made["content_type"] == "application/octet-stream"
        assert made["checksums"]["md5"] == hashlib.md5(b"a\r\n--\r\n--bx").hexdigest()


@story
async def test_forms_that_are_wrong(p: Platform) -> None:
    multipart = "multipart/form-data; boundary=b"
    name = b'Content-Disposition: form-data; name="content"; filename="'
    good = name + b'x"\r\n\r\nx'
    for content, kind, status in (
        (b"", multipart, 400),
        (b"nonsense", multipart, 400),
        (form(good, end=b""), multipart, 400),
        (form(good), "multipart/form-data", 400),
        (form(good), "application/json", 400),
        (form(b'Content-Disposition: form-data; name="metadata"\r\n\r\n{}'), multipart, 422),
        (form(good, b'Content-Disposition: form-data; name="metadata"\r\n\r\n[1]'), multipart, 422),
        (form(name + b"x" * 256 + b'"\r\n\r\nx'), multipart, 422),
        (form(name + b'x"\r\nContent-Type: no type\r\n\r\nx'), multipart, 422),
        (form(b"X: " + b"x" * 100_000 + b"\r\n\r\nx"), multipart, 400),
        (
            form(good, b'Content-Disposition: form-data; name="metadata"\r\n\r\n' + b"x" * 70_000),
            multipart,
            413,
        ),
    ):
        response = await p.client.post("/files", content=content, headers={"content-type": kind})
        assert response.status_code == status, (content[:100], response.text)
        assert response.headers["content-type"] == "application/problem+json"
    assert (await p.client.get("/files")).json()["results"] == []


@story_with(upload_limit_bytes=10_000)
async def test_files_over_the_limit(p: Platform) -> None:
    async def unannounced(size: int) -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="content"; filename="x"\r\n\r\n'
        for _ in range(size // 1000):
            yield b"x" * 1000
        yield b"\r\n--b--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = await p.client.post("/files", content=unannounced(10_000), headers=headers)
    assert response.status_code == 201
    response = await p.client.post("/files", content=unannounced(3_000_000), headers=headers)
    assert response.status_code == 413
    response = await p.client.post("/files", files={"content": ("x", b"x" * 2_000_000)})
    assert response.status_code == 413


@story_with(upload_ttl_s=60)
async def test_uploads_expire(p: Platform) -> None:
    made = (await p.client.post("/files", files={"content": ("x", b"x")})).json()
    p.clock.advance(61)
    assert (await p.client.get(made["urls"]["get"])).status_code == 404


@story
async def test_signed_download(p: Platform) -> None:
    made = (await p.client.post("/files", files={"content": ("x.png", CONTENT, "image/png")})).json()
    key = (await p.client.get("/stoker/files-secret")).json()["key"]
    soon, past = p.clock.now_us() // 1_000_000 + 100, p.clock.now_us() // 1_000_000 - 1

    async def download(owner: str, expiry: int, signature: str) -> int:
        query = urlencode({"owner": owner, "expiry": expiry, "signature": signature})
        response = await p.anonymous.get(f"{made['urls']['get']}/download?{query}")
        if response.status_code == 200:
            assert (response.content, response.headers["content-type"]) == (CONTENT, "image/png")
            age_s = int(response.headers["cache-control"].rpartition("=")[2])
            assert 90 <= age_s <= 100
        return response.status_code

    assert await download("alice", soon, sign(key, "alice", made["id"], str(soon))) == 200
    assert await download("Alice", soon, sign(key, "Alice", made["id"], str(soon))) == 200
    assert await download("alice", past, sign(key, "alice", made["id"], str(past))) == 403
    assert await download("alice", soon + 1, sign(key, "alice", made["id"], str(soon))) == 403
    assert await download("bob", soon, sign(key, "bob", made["id"], str(soon))) == 403
    assert await download("nobody", soon, "") == 403
    others = (await p.other.get("/stoker/files-secret")).json()["key"]
    assert others != key
    assert await download("bob", soon, sign(others, "bob", made["id"], str(soon))) == 404
    assert json.loads((await p.anonymous.get(f"{made['urls']['get']}/download")).content)["status"] == 403
