"""Files and secrets in inputs: sections 10.1 and 5.8, gotchas 12 and 28."""

import base64
import hashlib
from typing import Any

import msgspec

from stoker.api.input_files import read_data_uri
from stoker.core.catalog import Account, FileRecord, Member
from tests.contract.platform import Platform
from tests.contract.story import story

PIXELS = bytes(range(256)) * 20
INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "image": {"type": "string", "format": "uri", "nullable": True},
        "images": {"type": "array", "items": {"type": "string", "format": "uri"}, "default": []},
        "text": {"type": "string", "default": ""},
        "key": {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True},
        "more": {"type": "object", "default": {}},
    },
}


def data_uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


async def fetch(p: Platform, url: str) -> tuple[str, bytes]:
    response = await p.anonymous.get(url)
    assert response.status_code == 200, response.text
    return response.headers["content-type"], response.content


@story
async def test_data_uris_of_file_inputs_become_links(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    given = {
        "image": data_uri(PIXELS),
        "images": [data_uri(b"1", "text/plain"), "https://example.com/a.png", data_uri(b"2", "audio/mpeg")],
        "text": data_uri(b"stays"),
        "more": {"x": data_uri(b"stays")},
    }
    made = (await p.predict(version, given))["input"]
    assert await fetch(p, made["image"]) == ("image/png", PIXELS)
    assert made["image"].endswith("/file.png")
    assert (await fetch(p, made["images"][0]))[1] == b"1"
    assert made["images"][1] == "https://example.com/a.png"
    assert made["images"][2].endswith("/file.mp3")
    assert made["text"] == given["text"]
    assert made["more"] == given["more"]
    record = await p.store.files.get(p.services.links.own_file(made["image"]) or "")
    assert record is not None
    assert (record.origin, record.account, record.size_bytes) == ("input", "alice", len(PIXELS))
    assert record.prediction == p.dispatcher.submitted[-1].id


@story
async def test_gotcha_28_data_uris_of_many_megabytes_pass(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    picture = PIXELS * 2500
    made = await p.predict(version, {"image": data_uri(picture)})
    assert (await fetch(p, made["input"]["image"]))[1] == picture


@story
async def test_data_uris_that_are_broken(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    for given, field in (
        ({"image": "data:image/png;base64,!!!"}, "input.image"),
        ({"image": "data:image/png;base64"}, "input.image"),
        ({"images": [data_uri(b"1"), "data:;base64,\u00e9"]}, "input.images.1"),
    ):
        response = await p.client.post("/predictions", json={"version": version.id, "input": given})
        assert response.status_code == 422
        assert response.json()["invalid_fields"][0]["field"] == field
    assert p.dispatcher.submitted == []


def test_forms_of_data_uris() -> None:
    assert read_data_uri("data:,a%20b") == ("text/plain", b"a b")
    assert read_data_uri("data:text/html;charset=utf-8,<p>") == ("text/html;charset=utf-8", b"<p>")
    assert read_data_uri("data:;base64,YQ==") == ("text/plain", b"a")
    assert read_data_uri("data:x/y;BASE64,YQ") == ("x/y", b"a")
    assert read_data_uri("data:x/y;base64,YQ%3D%3D") == ("x/y", b"a")


@story
async def test_gotcha_12_own_files_are_taken_at_any_depth(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    mine = await _file(p, "alice", "mine")
    url = p.services.links.file(mine.id)
    given = {"image": url, "more": {"a": [{"b": url}]}}
    assert (await p.predict(version, given))["input"] == given


@story
async def test_files_of_others_need_a_signed_link(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    theirs = await _file(p, "bob", "theirs")
    links = p.services.links
    signed = links.content(theirs.id, "x", expires_us=theirs.expires_us)
    await p.predict(version, {"image": signed})
    for url in (links.file(theirs.id), links.file("none"), signed[:-3] + "Ax/x", f"{p.base}/v1/files/"):
        given = {"more": {"deep": [url]}}
        response = await p.client.post("/predictions", json={"version": version.id, "input": given})
        if url.endswith("/files/"):
            assert response.status_code == 201
        else:
            assert response.status_code == 422, url
            assert response.json()["invalid_fields"][0]["field"] == "input.more.deep.0"


@story
async def test_files_of_ones_organisation_need_none(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    await p.store.accounts.create(
        Account(name="team", kind="organization", created_us=1, webhook_secret="whsec_x")
    )
    await p.store.accounts.set_member(Member(organization="team", account="alice", created_us=1))
    given = {"image": p.services.links.file((await _file(p, "team", "ours")).id)}
    assert (await p.predict(version, given))["input"] == given
    public = await p.version("open", input=INPUT, visibility="public")
    refused = await p.other.post("/predictions", json={"version": public.id, "input": given})
    assert refused.status_code == 422


@story
async def test_a_file_that_came_as_data_goes_with_the_predictions_data(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    made = await p.predict(version, {"image": data_uri(b"pixels")}, prefer="wait")
    url = made["input"]["image"]
    assert (await p.anonymous.get(url)).content == b"pixels"
    await p.store.predictions.remove_data("alice", p.clock.now_us())
    assert (await p.anonymous.get(url)).status_code == 404
    kept = await p.services.store.files.contents()
    assert hashlib.sha256(b"pixels").hexdigest() not in kept, "the sweep may take the bytes"


@story
async def test_escaped_links_are_links(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    theirs = await _file(p, "bob", "theirs")
    url = p.services.links.file(theirs.id).replace("/", "\\/")
    body = f'{{"version": "{version.id}", "input": {{"image": "{url}"}}}}'
    assert (await p.client.post("/predictions", content=body)).status_code == 422
    escaped = data_uri(b"1").replace("data", "\\u0064ata")
    body = f'{{"version": "{version.id}", "input": {{"image": "{escaped}"}}}}'
    made = (await p.client.post("/predictions", content=body)).json()
    assert made["input"]["image"].startswith(p.base)


@story
async def test_secrets_are_hidden_and_kept_apart(p: Platform) -> None:
    version = await p.version("see", input=INPUT)
    made = await p.predict(version, {"key": "hunter2", "text": "x"}, prefer="wait")
    assert made["input"] == {"key": "[REDACTED]", "text": "x"}
    submitted = p.dispatcher.submitted[-1]
    assert submitted.secrets is not None
    assert msgspec.json.decode(submitted.secrets) == {"key": "hunter2"}
    assert b"hunter2" not in bytes(submitted.input)
    response = await p.client.post(
        "/predictions", json={"version": version.id, "input": {"key": ["hunter2"]}}
    )
    assert response.status_code == 422
    assert "hunter2" not in response.text


async def _file(p: Platform, account: str, id: str) -> FileRecord:
    record = FileRecord(
        id=id,
        account=account,
        origin="upload",
        name="x",
        content_type="text/plain",
        size_bytes=1,
        sha256="0" * 64,
        md5="0" * 32,
        created_us=p.clock.now_us(),
        expires_us=p.clock.now_us() + 10**9,
    )
    await p.store.files.create(record)
    return record
