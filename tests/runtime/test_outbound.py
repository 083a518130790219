"""The one door: what may be reached, and that every way in is checked."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from stoker.core.errors import Invalid, TooLarge
from stoker.runtime.inputs import name_of
from stoker.runtime.outbound import DOWNLOADS_PER_HOST, READ_S, AddressRefused, Outbound, check_address
from tests.runtime.stage import until
from tests.web_server import Web

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "224.0.0.1", "ff02::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "64:ff9b:1::808:808", "::7f00:1",
    "::808:808", "::ffff:0:7f00:1", "2001:0:7f00:1::1", "2001:0:808:808::f5ff:fffe", "fec0::1", "::",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str):
    with pytest.raises(AddressRefused, match="--allow-net"):
        check_address(address, [])


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_fine(address: str):
    check_address(address, [])


def test_an_allowed_network_is_fine_and_only_that():
    allowed = [ipaddress.ip_network("10.0.0.0/8")]
    check_address("10.9.9.9", allowed)
    check_address("64:ff9b::a09:909", allowed)
    check_address("::1", [ipaddress.ip_network("::1/128")])
    with pytest.raises(AddressRefused):
        check_address("127.0.0.1", allowed)


def fetch(url: str, to: Path, *allow: str, limit_bytes: int = 1_000_000) -> None:
    async def run() -> None:
        outbound = Outbound(allow)
        try:
            await outbound.download(url, to, limit_bytes=limit_bytes)
        finally:
            await outbound.close()

    asyncio.run(run())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_neither_a_literal_address_nor_a_name_gets_past(host: str, tmp_path: Path):
    with Web() as web, pytest.raises(Invalid, match="private address"):
        fetch(f"http://{host}:{web.port}/file", tmp_path / "f")
    assert web.seen == []


def test_a_redirect_to_a_private_address_is_refused(tmp_path: Path):
    with Web() as web, pytest.raises(Invalid, match="private address"):
        web.redirects["/away"] = f"http://127.0.0.2:{web.port}/file"
        fetch(f"http://127.0.0.1:{web.port}/away", tmp_path / "f", "127.0.0.1/32")
    assert [path for _, path in web.seen] == ["/away"]


def test_an_allowed_file_is_fetched(tmp_path: Path):
    with Web() as web:
        web.files["/file"] = b"x" * 100_000
        fetch(f"http://127.0.0.1:{web.port}/file", tmp_path / "f", "127.0.0.0/8")
    assert (tmp_path / "f").read_bytes() == b"x" * 100_000


def test_a_missing_file_says_so_in_the_words_that_callers_know(tmp_path: Path):
    with Web() as web, pytest.raises(Invalid, match=r"^404 Client Error: Not Found for url: http://"):
        fetch(f"http://127.0.0.1:{web.port}/none", tmp_path / "f", "127.0.0.0/8")


def test_a_file_over_the_limit_is_refused(tmp_path: Path):
    with Web() as web, pytest.raises(TooLarge):
        web.files["/file"] = b"x" * 2000
        fetch(f"http://127.0.0.1:{web.port}/file", tmp_path / "f", "127.0.0.0/8", limit_bytes=1000)


def test_a_disk_that_cannot_be_written_is_not_the_url_s_fault(tmp_path: Path):
    with Web() as web, pytest.raises(FileNotFoundError):
        web.files["/file"] = b"x"
        fetch(f"http://127.0.0.1:{web.port}/file", tmp_path / "none" / "f", "127.0.0.0/8")


def test_an_empty_file_is_a_file(tmp_path: Path):
    with Web() as web:
        web.files["/file"] = b""
        fetch(f"http://127.0.0.1:{web.port}/file", tmp_path / "f", "127.0.0.0/8")
    assert (tmp_path / "f").read_bytes() == b""


class Drip:
    """A server that begins every answer to GET with one byte and never goes on; POST gets its answer."""

    def __init__(self) -> None:
        self.url = ""
        self.most = 0
        self._open = 0
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> "Drip":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.left()

    async def came(self, count: int) -> None:
        """Returns when so many are connected."""
        await self._once(lambda: self._open >= count)

    async def left(self) -> None:
        """Returns when nobody is connected any more."""
        await self._once(lambda: self._open == 0)

    async def _once(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(holds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._count(1)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"POST"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")
                await reader.read()
        finally:
            writer.close()
            await self._count(-1)

    async def _count(self, more: int) -> None:
        async with self._changed:
            self._open += more
            self.most = max(self.most, self._open)
            self._changed.notify_all()


@contextlib.asynccontextmanager
async def outbound_and_drip(fetch_timeout_s: float = 60) -> AsyncIterator[tuple[Outbound, Drip]]:
    outbound = Outbound(["127.0.0.0/8"], fetch_timeout_s=fetch_timeout_s)
    try:
        async with Drip() as drip:
            yield outbound, drip
    finally:
        await outbound.close()


def test_slow_downloads_hold_up_neither_webhooks_nor_other_hosts(tmp_path: Path):
    async def run(web: Web) -> None:
        async with outbound_and_drip() as (outbound, drip):
            slow = [
                asyncio.create_task(outbound.download(drip.url, tmp_path / str(n), limit_bytes=10))
                for n in range(105)
            ]
            await drip.came(DOWNLOADS_PER_HOST)
            async with asyncio.timeout(READ_S / 2):  # before the slow ones are given up
                assert await outbound.post(f"{web.url}/hook", b"{}", {}, timeout_s=10) == 200
                assert await outbound.post(f"{drip.url}/hook", b"{}", {}, timeout_s=10) == 200
                await outbound.download(f"{web.url}/file", tmp_path / "f", limit_bytes=10)
            assert drip.most == DOWNLOADS_PER_HOST + 1
            for task in slow:
                task.cancel()
            await asyncio.wait(slow)

    with Web() as web:
        web.files["/file"] = b"x"
        asyncio.run(run(web))
    assert [file.name for file in tmp_path.iterdir()] == ["f"]


def test_a_cancelled_download_closes_its_connection_and_leaves_no_file(tmp_path: Path):
    async def run() -> None:
        async with outbound_and_drip() as (outbound, drip):
            task = asyncio.create_task(outbound.download(drip.url, tmp_path / "f", limit_bytes=10))
            await drip.came(1)
            await until((tmp_path / "f").exists)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            assert not (tmp_path / "f").exists()
            await drip.left()

    asyncio.run(run())


def test_a_download_that_never_ends_ends(tmp_path: Path):
    async def run() -> None:
        async with outbound_and_drip(fetch_timeout_s=0.2) as (outbound, drip):
            with pytest.raises(Invalid, match="it took too long"):
                await outbound.download(drip.url, tmp_path / "f", limit_bytes=10)
            await drip.left()

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a b/", "ftp://127.0.0.1/x"])
def test_nonsense_is_a_clear_error(url: str, tmp_path: Path):
    with pytest.raises(Invalid):
        fetch(url, tmp_path / "f")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a/b/photo.jpg", "photo.jpg"),
        ("https://a/b/my%20photo+1.jpg?x=1", "my photo 1.jpg"),
        ("https://a/", "file"),
        ("https://a", "file"),
        ("https://a/b/.", "file"),
        ("https://a/b/..", "file"),
        ("https://a/b/%2e%2E?x=1", "file"),
        ("https://a/b/..%2F..", ".._.."),
        ("https://a/%2Fetc%2Fpasswd", "_etc_passwd"),
    ],
)
def test_a_file_keeps_the_name_of_its_url(url: str, name: str):
    assert name_of(url) == name


def test_a_long_name_is_cut_before_its_extension():
    name = name_of("https://a/" + "x" * 300 + ".png")
    assert len(name) == 200
    assert name.endswith("x~.png")
