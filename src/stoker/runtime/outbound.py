"""The one door to other machines: webhooks and input URLs leave through it, and only to where they may.

Every connection, after name resolution and after each redirect, is checked by its address when the socket
is made, so neither a literal address nor a name that changes its mind gets past.
"""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from stoker.core.errors import Invalid, TooLarge

CHUNK_BYTES = 1024 * 1024
CONNECT_S = 10.0
READ_S = 10.0

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AddressRefused(OSError):
    """The address is private and the operator did not allow it (see --allow-net)."""


def check_address(address: str, allowed: Sequence[Network]) -> None:
    """Raises ``AddressRefused`` for an address that is neither public nor in an allowed network."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    if any(ip.version == network.version and ip in network for network in allowed):
        return
    if not ip.is_global or ip.is_multicast:
        reason = f"{ip} is a private address; the operator can allow it with --allow-net"
        raise AddressRefused(errno.EACCES, reason)


class Outbound:
    def __init__(self, allow_net: Sequence[str]):
        self._allowed = [ipaddress.ip_network(network, strict=False) for network in allow_net]
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: dict[str, str], *, timeout_s: float) -> int:
        """The status of the answer; redirects are not followed. Raises ``Invalid`` with the reason."""
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._open().post(
                url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise Invalid(_reason(error)) from error

    async def download(self, url: str, to: Path, *, limit_bytes: int) -> None:
        """Streams a URL into a new file. Raises ``Invalid`` with the reason, ``TooLarge`` past the limit."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=READ_S)
        try:
            async with self._open().get(url, timeout=timeout) as answer:
                if answer.status >= 400:
                    raise Invalid(_status_reason(answer.status, answer.reason, url))
                await self._write(answer, to, limit_bytes)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise Invalid(f"cannot fetch {url}: {_reason(error)}") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _write(self, answer: aiohttp.ClientResponse, to: Path, limit_bytes: int) -> None:
        size = 0
        with to.open("wb") as file:
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                size += len(chunk)
                if size > limit_bytes:
                    raise TooLarge(f"{answer.url} is larger than {limit_bytes} bytes")
                await asyncio.to_thread(file.write, chunk)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(socket_factory=self._socket, limit=100)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _socket(self, address: Any) -> socket.socket:
        family, kind, protocol, _, target = address
        check_address(target[0], self._allowed)
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


def _status_reason(status: int, reason: str | None, url: str) -> str:
    """The words of Cog's own server, which callers know (section 4.5 of the Cog contract)."""
    side = "Client" if status < 500 else "Server"
    return f"{status} {side} Error: {reason} for url: {url}"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.InvalidURL):
        return "it is not a valid URL"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error)
    return str(error) or error.__class__.__name__
