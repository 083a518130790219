"""Every URL that we give out, and the reading of those that come back. Pure: the key is an argument.

All URLs start with the public base and a single ``/v1`` (section 1 of the HTTP contract). Links to bytes
are capabilities: they carry an expiry and an HMAC-SHA256 over what they open, so nobody needs a token.
"""

import base64
import hashlib
import hmac
from urllib.parse import quote, urlsplit

FILE_STREAM_PREFIX = "stream-"
EXPIRY_DIGITS = 12
"""Python reads no number of thousands of digits."""


class Links:
    """``base`` is the public base URL without ``/v1`` or a trailing slash, ``key`` the signing key."""

    def __init__(self, base: str, key: bytes):
        self.base = base.rstrip("/")
        self._key = key

    def prediction(
        self, id: str, *, stream_key: str | None, files: bool, kind: str = "prediction"
    ) -> dict[str, str]:
        """The ``urls`` of a prediction or training; without a stream key the model cannot stream.

        Streams of text must not begin with ``/v1/files/``, those of files must (section 8.1).
        """
        own = f"{self.base}/v1/{'trainings' if kind == 'training' else 'predictions'}/{id}"
        urls = {"get": own, "cancel": f"{own}/cancel", "web": f"{self.base}/p/{id}"}
        if stream_key is not None and kind == "prediction":
            path = f"files/{FILE_STREAM_PREFIX}{stream_key}" if files else f"streams/{stream_key}"
            urls["stream"] = f"{self.base}/v1/{path}"
        return urls

    def model(self, owner: str, name: str) -> str:
        return f"{self.base}/{owner}/{name}"

    def file(self, id: str) -> str:
        """The API's description of an uploaded file; clients put it into inputs."""
        return f"{self.base}/v1/files/{id}"

    def content(self, id: str, name: str, *, expires_us: int) -> str:
        """The bytes of a file, for anyone who has the link, until it expires."""
        expiry = expires_us // 1_000_000
        return f"{self.base}/delivery/{id}/{expiry}-{self._sign(f'{id} {expiry}')}/{_last_part(name)}"

    def opens(self, id: str, pass_: str, *, now_us: int) -> bool:
        """Whether the ``EXPIRY-SIGNATURE`` part of a content link is ours and still good."""
        expiry, _, signature = pass_.partition("-")
        if not expiry.isdecimal() or len(expiry) > EXPIRY_DIGITS or int(expiry) * 1_000_000 < now_us:
            return False
        return hmac.compare_digest(signature.encode(), self._sign(f"{id} {expiry}").encode())

    def own_file(self, url: str) -> str | None:
        """The file id in one of our own URLs (``file`` or ``content``); None for anybody else's.

        A content link's signature is not checked here: who may use which file in an input is decided by
        the owner of the file, and a signed link by :meth:`opens`.
        """
        if not url.startswith(self.base + "/"):
            return None
        parts = urlsplit(url).path.removeprefix(urlsplit(self.base).path).strip("/").split("/")
        while parts and parts[0] == "v1":
            parts = parts[1:]
        if (
            len(parts) >= 2
            and parts[0] in ("files", "delivery")
            and not parts[1].startswith(FILE_STREAM_PREFIX)
        ):
            return parts[1]
        return None

    def _sign(self, text: str) -> str:
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:24]).decode()


def _last_part(name: str) -> str:
    """The name as the end of a path. A slash begins another part even where it is encoded, and clients take
    dots away before they ask."""
    plain = name.replace("/", "_")
    return "file" if plain in ("", ".", "..") else quote(plain, safe="")
