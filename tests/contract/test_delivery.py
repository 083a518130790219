"""Links to bytes: section 10.2, gotcha 11."""

import asyncio
import hashlib
from typing import Any

import pytest

from stoker.api.http import ranges
from stoker.core.catalog import FileRecord
from tests.contract.platform import Platform
from tests.contract.story import story

CONTENT = bytes(range(256)) * 4


async def stored(
    p: Platform,
    *,
    kind: str = "image/png",
    name: str = "out.png",
    data: bytes = CONTENT,
    prediction: str | None = None,
) -> str:
    """A link to a new output file."""

    async def chunks() -> Any:
        yield data

    blob = await p.services.blobs.put(chunks())
    now_us = p.clock.now_us()
    record = FileRecord(
        id=f"out{now_us}",
        account="alice",
        origin="output",
        name=name,
        content_type=kind,
        size_bytes=blob.size_bytes,
        sha256=blob.sha256,
        created_us=now_us,
        expires_us=now_us + 600 * 1_000_000,
        prediction=prediction,
    )
    await p.store.files.create(record)
    return p.services.links.content(record.id, record.name, expires_us=record.expires_us)


@story
async def test_gotcha_11_bytes_without_token_or_redirect(p: Platform) -> None:
    url = await stored(p)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        response = await p.anonymous.get(url, headers=headers)
        assert (response.status_code, response.content) == (200, CONTENT)
        assert response.headers["content-type"] == "image/png"
        assert response.headers["content-length"] == str(len(CONTENT))
        assert response.headers["cache-control"] == "public,max-age=599"
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["accept-ranges"] == "bytes"
        assert "last-modified" in response.headers
    head = await p.anonymous.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(CONTENT))
    etag = head.headers["etag"]
    assert etag == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    for tags in (etag, f'"x", W/{etag}', "*"):
        response = await p.anonymous.get(url, headers={"if-none-match": tags})
        assert (response.status_code, response.content) == (304, b"")
    assert (await p.anonymous.options(url)).headers["access-control-allow-origin"] == "*"


@story
async def test_ranges_on_the_wire(p: Platform) -> None:
    url = await stored(p)
    etag = (await p.anonymous.head(url)).headers["etag"]
    for asked, start, end in (("bytes=0-9", 0, 10), ("bytes=1000-", 1000, 1024), ("bytes=-5", 1019, 1024)):
        response = await p.anonymous.get(url, headers={"range": asked, "if-range": etag})
        assert (response.status_code, response.content) == (206, CONTENT[start:end])
        assert response.headers["content-range"] == f"bytes {start}-{end - 1}/1024"
    for headers in ({"range": "bytes=0-1,5-6"}, {"range": "bytes=0-1", "if-range": '"old"'}):
        response = await p.anonymous.get(url, headers=headers)
        assert (response.status_code, response.content) == (200, CONTENT)
    response = await p.anonymous.get(url, headers={"range": "bytes=1024-"})
    assert (response.status_code, response.headers["content-range"]) == (416, "bytes */1024")


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        (None, 10, None),
        ("bytes=0-0", 10, (0, 1)),
        ("bytes=0-99", 10, (0, 10)),
        ("bytes=9-", 10, (9, 10)),
        ("bytes=-99", 10, (0, 10)),
        ("bytes=5-4", 10, None),
        ("bytes=-", 10, None),
        ("bytes=a-b", 10, None),
        ("lines=0-1", 10, None),
        ("bytes=0-1, 3-4", 10, None),
        ("bytes=" + "9" * 30 + "-", 10, None),
    ],
)
def test_ranges(header: str | None, size: int, expected: tuple[int, int] | None) -> None:
    assert ranges.parse(header, size) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=0-", 0), ("bytes=-0", 10)])
def test_ranges_without_bytes(header: str, size: int) -> None:
    with pytest.raises(ranges.Unsatisfiable):
        ranges.parse(header, size)


@story
async def test_model_output_does_not_run_as_our_origin(p: Platform) -> None:
    for kind, name in (("text/html", "x.html"), ("image/svg+xml", 'a "b"\r\nx: y.svg')):
        response = await p.anonymous.get(await stored(p, kind=kind, name=name))
        assert response.status_code == 200
        assert response.headers["content-type"] == kind
        assert response.headers["x-content-type-options"] == "nosniff"
        policy = response.headers["content-security-policy"]
        assert "sandbox" in policy and "default-src 'none'" in policy
        assert "allow-scripts" not in policy
        assert response.headers["content-disposition"].startswith("inline; filename*=UTF-8''")


@story
async def test_links_expire_and_cannot_be_forged(p: Platform) -> None:
    url, other = await stored(p), await stored(p)
    assert (await p.anonymous.get(url.replace("/delivery/", "/delivery/x"))).status_code == 404
    mixed = "/".join(url.split("/")[:5] + other.split("/")[5:])
    assert mixed.count("/") == url.count("/")
    assert (await p.anonymous.get(mixed)).status_code == 404
    p.clock.advance(601)
    assert (await p.anonymous.get(url)).status_code == 404


@story
async def test_the_files_api_has_nothing_of_it(p: Platform) -> None:
    url = await stored(p)
    (record,) = (await p.store.files.page("alice", origin="output")).items
    assert (await p.client.get("/files")).json()["results"] == []
    assert (await p.client.get(f"/files/{record.id}")).status_code == 404
    assert (await p.client.delete(f"/files/{record.id}")).status_code == 404
    assert (await p.anonymous.get(url)).status_code == 200


@story
async def test_the_files_of_an_example_outlive_their_links(p: Platform) -> None:
    made = await p.predict(await p.version("sketch"), prefer="wait")
    url = await stored(p, prediction=made["id"])
    file = url.split("/")[-3]
    model, now_us = "alice/sketch", p.clock.now_us()
    assert await p.store.examples.keep(model, made["id"], files=[file], now_us=now_us)
    p.clock.advance(10**7)
    assert (await p.anonymous.get(url)).status_code == 200
    assert await p.store.examples.drop(model, made["id"])
    assert (await p.anonymous.get(url)).status_code == 404


@story
async def test_empty_file(p: Platform) -> None:
    url = await stored(p, data=b"")
    response = await p.anonymous.get(url)
    assert (response.status_code, response.content) == (200, b"")


@story
async def test_a_file_of_which_only_the_description_is_left(p: Platform) -> None:
    url = await stored(p)
    await p.services.blobs.sweep(set(), older_than_s=-1)
    response = await p.anonymous.get(url)
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


@story
async def test_large_file_waits_for_its_reader(p: Platform) -> None:
    """A reader that takes nothing and leaves costs nothing; one that reads gets every byte."""
    data = CONTENT * 40_000
    url = await stored(p, data=data)
    _, lazy = await asyncio.open_connection("127.0.0.1", int(p.base.rpartition(":")[2]), limit=1024)
    lazy.write(f"GET {url.removeprefix(p.base)} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    async with p.anonymous.stream("GET", url) as response:
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
    assert size == len(data)
    lazy.transport.abort()
