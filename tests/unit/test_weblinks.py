"""Addresses that callers give."""

import pytest

from stoker.core.weblinks import leads_somewhere


@pytest.mark.parametrize(
    "url", ["http://a", "https://a.example/b?c#d", "HTTPS://A:65535", "http://[::1]/", "http://user@a"]
)
def test_addresses(url: str) -> None:
    assert leads_somewhere(url)


@pytest.mark.parametrize(
    "url",
    ["", "a", "http:", "http:///a", "http://[", "http://:80", "ftp://a", "https:// a", "https://a b/"],
)
def test_what_is_none(url: str) -> None:
    assert not leads_somewhere(url)


def test_schemes() -> None:
    assert not leads_somewhere("http://a", ("https",))
