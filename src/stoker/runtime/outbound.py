"""The one door to other machines: webhooks and input URLs leave through it, and only to where they may.

Every connection, after name resolution and after each redirect, is checked by its address when the socket
is made, so neither a literal address nor a name that changes its mind gets past. Webhooks and downloads never
share connections or their limits: servers that answer slowly hold up their own kind and host alone.
"""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp

from stoker.core.errors import Invalid, TooLarge

CHUNK_BYTES = 1024 * 1024
CONNECT_S = 10.0
READ_S = 10.0
FETCH_S = 600.0
WEBHOOKS_AT_ONCE, WEBHOOKS_PER_HOST = 1000, 20
DOWNLOADS_AT_ONCE, DOWNLOADS_PER_HOST = 400, 16

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
NOT_PUBLIC = [
    ipaddress.IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible, long given up
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b:1::/48",  # NAT64 of a network's own, where only that network knows the IPv4 address in it
        "2001::/32",  # Teredo
        "fec0::/10",  # site-local, long given up
    )
]
"""Leads to private addresses on some networks, whatever ``is_global`` of this Python says."""


class AddressRefused(OSError):
    """The address is private and the operator did not allow it (see --allow-net)."""


def check_address(address: str, allowed: Sequence[Network]) -> None:
    """Raises ``AddressRefused`` for an address that is neither public nor in an allowed network."""
    ip = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if any(ip.version == network.version and ip in network for network in allowed):
        return
    if not ip.is_global or ip.is_multicast or any(ip in network for network in NOT_PUBLIC):
        reason = f"{ip} is a private address; the operator can allow it with --allow-net"
        raise AddressRefused(errno.EACCES, reason)


def _unwrapped(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


class Outbound:
    def __init__(self, allow_net: Sequence[str], *, fetch_timeout_s: float = FETCH_S):
        self._allowed = [ipaddress.ip_network(network, strict=False) for network in allow_net]
        self._fetch_timeout_s = fetch_timeout_s
        self._webhooks: aiohttp.ClientSession | None = None
        self._downloads: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: dict[str, str], *, timeout_s: float) -> int:
        """The status of the answer; redirects are not followed. Raises ``Invalid`` with the reason."""
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        if self._webhooks is None:
            self._webhooks = self._session(WEBHOOKS_AT_ONCE, WEBHOOKS_PER_HOST)
        try:
            async with self._webhooks.post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise Invalid(_reason(error)) from error

    async def download(self, url: str, to: Path, *, limit_bytes: int) -> None:
        """Streams a URL into a new file, which stays only if it is complete.

        Raises ``Invalid`` with the reason, ``TooLarge`` past the limit, and ``OSError`` as it is where our
        own disk is at fault.
        """
        async with contextlib.aclosing(self._chunks(url, limit_bytes)) as chunks:
            first = await anext(chunks, b"")  # no file is open while the request waits for its turn
            with _whole_file(to) as file:
                await asyncio.to_thread(file.write, first)
                async for chunk in chunks:
                    await asyncio.to_thread(file.write, chunk)

    async def close(self) -> None:
        for session in (self._webhooks, self._downloads):
            if session is not None:
                await session.close()

    async def _chunks(self, url: str, limit_bytes: int) -> AsyncGenerator[bytes, None]:
        """The body. All that can go wrong in here is the network's doing, what its reader does is not."""
        timeout = aiohttp.ClientTimeout(total=self._fetch_timeout_s, sock_connect=CONNECT_S, sock_read=READ_S)
        if self._downloads is None:
            self._downloads = self._session(DOWNLOADS_AT_ONCE, DOWNLOADS_PER_HOST)
        size = 0
        try:
            async with self._downloads.get(url, timeout=timeout) as answer:
                if answer.status >= 400:
                    raise Invalid(_status_reason(answer.status, answer.reason, url))
                async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                    size += len(chunk)
                    if size > limit_bytes:
                        raise TooLarge(f"{answer.url} is larger than {limit_bytes} bytes")
                    yield chunk
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise Invalid(f"cannot fetch {url}: {_reason(error)}") from error

    def _session(self, at_once: int, per_host: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(socket_factory=self._socket, limit=at_once, limit_per_host=per_host)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    def _socket(self, address: Any) -> socket.socket:
        family, kind, protocol, _, target = address
        check_address(target[0], self._allowed)
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that goes again if writing it is broken off, be it by a cancellation."""
    try:
        with path.open("wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _status_reason(status: int, reason: str | None, url: str) -> str:
    """The words of Cog's own server, which callers know (section 4.5 of the Cog contract)."""
    side = "Client" if status < 500 else "Server"
    return f"{status} {side} Error: {reason} for url: {url}"


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ServerTimeoutError):
        return "no answer in time"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, aiohttp.InvalidURL):
        return "it is not a valid URL"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error)
    return str(error) or error.__class__.__name__
