"""The one door: what may be reached, and that every way in is checked."""

import asyncio
import ipaddress
from pathlib import Path

import pytest

from stoker.core.errors import Invalid, TooLarge
from stoker.runtime.inputs import name_of
from stoker.runtime.outbound import AddressRefused, Outbound, check_address
from tests.web_server import Web

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "224.0.0.1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str):
    with pytest.raises(AddressRefused, match="--allow-net"):
        check_address(address, [])


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111"])
def test_public_addresses_are_fine(address: str):
    check_address(address, [])


def test_an_allowed_network_is_fine_and_only_that():
    allowed = [ipaddress.ip_network("10.0.0.0/8")]
    check_address("10.9.9.9", allowed)
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


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a b/", "ftp://127.0.0.1/x"])
def test_nonsense_is_a_clear_error(url: str, tmp_path: Path):
    with pytest.raises(Invalid):
        fetch(url, tmp_path / "f")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a/b/photo.jpg", "photo.jpg"),
        ("https://a/b/my%20photo+1.jpg?x=1", "my photo 1.jpg"),
        ("https://a/", ""),
        ("https://a/%2Fetc%2Fpasswd", "_etc_passwd"),
    ],
)
def test_a_file_keeps_the_name_of_its_url(url: str, name: str):
    assert name_of(url) == name


def test_a_long_name_is_cut_before_its_extension():
    name = name_of("https://a/" + "x" * 300 + ".png")
    assert len(name) == 200
    assert name.endswith("x~.png")
