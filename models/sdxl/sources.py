"""Fetches a file that a caller named by a link. Used by ``adapters``.

A link may lead anywhere, so every connection, redirects included, is looked at once it stands and before
anything is asked: private addresses are refused unless they are the server's own or the operator lists them.
Files of this machine cannot be named.
"""

import base64
import binascii
import http.client
import ipaddress
import os
import urllib.request
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import unquote_to_bytes, urlsplit

LIMIT_BYTES = 4 * 1024**3
CHUNK_BYTES = 1024**2
TIMEOUT_S = 30.0
"""Of a connection, and of each wait for more."""
_PORTS = {"http": 80, "https": 443}


class Refused(OSError):
    """The link leads to a private address."""


def fetch(link: str, to: Path) -> None:
    """Writes the file; ValueError with the reason where it cannot be had."""
    scheme = urlsplit(link).scheme.lower()
    if scheme == "data":
        to.write_bytes(_data(link))
    elif scheme in ("http", "https"):
        _download(link, to)
    else:
        raise ValueError("it must be a link that begins with https://, http:// or data:")


def _data(link: str) -> bytes:
    head, comma, text = link.partition(",")
    try:
        if not comma:
            raise ValueError("no comma")
        raw = unquote_to_bytes(text)
        return base64.b64decode(raw, validate=True) if head.lower().endswith(";base64") else raw
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"it is not a valid data URI: {error}") from None


def _download(link: str, to: Path) -> None:
    try:
        with _opener().open(link, timeout=TIMEOUT_S) as answer, to.open("wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                if file.tell() + len(chunk) > LIMIT_BYTES:
                    raise ValueError(f"it is larger than {LIMIT_BYTES} bytes")
                file.write(chunk)
    except HTTPError as error:
        error.close()
        raise ValueError(f"the answer was {error.code} {error.reason}") from error
    except URLError as error:
        raise ValueError(f"cannot fetch it: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ValueError(f"cannot fetch it: {error}") from error


def _opener() -> urllib.request.OpenerDirector:
    """One that speaks nothing but HTTP and uses no proxy, which would hide where a connection leads."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        _PlainHandler(),
        _EncryptedHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Plain(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _check(self)


class _Encrypted(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _check(self)


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Plain, req)


class _EncryptedHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Encrypted, req)


def _check(connection: http.client.HTTPConnection) -> None:
    """Raises ``Refused`` where the other end is neither public nor allowed."""
    own = urlsplit(os.environ.get("STOKER_BASE_URL", ""))
    if (connection.host, connection.port) == (own.hostname, own.port or _PORTS.get(own.scheme)):
        return
    peer = connection.sock.getpeername()[0]
    address = ipaddress.ip_address(peer.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    networks = filter(None, os.environ.get("STOKER_ALLOW_NET", "").split(","))
    if any(address in ipaddress.ip_network(network, strict=False) for network in networks):
        return
    if not address.is_global or address.is_multicast:
        connection.close()
        raise Refused(f"{address} is a private address; the operator can allow it with --allow-net")
