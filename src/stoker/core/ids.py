"""Identifiers: how each one is written, from random bytes and times given by the caller.

Formats: section 4.6 (predictions), 2 (tokens) and 4.10 (webhook secrets) of the HTTP contract.
"""

import base64
import hashlib
import string
import uuid

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_TOKEN_LETTERS = string.ascii_letters + string.digits
_BASE32_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _CROCKFORD.encode())

TOKEN_LENGTH = 40


def prediction_id(now_us: int, random: bytes) -> str:
    """26 characters of Crockford base32: 48 bits of milliseconds, then 80 random bits (10 bytes)."""
    raw = (now_us // 1000).to_bytes(6, "big") + random[:10]
    return base64.b32encode(raw).translate(_BASE32_TO_CROCKFORD)[:26].decode()


def opaque_key(random: bytes) -> str:
    """A capability for a URL: lower-case Crockford base32 without padding."""
    return base64.b32encode(random).rstrip(b"=").translate(_BASE32_TO_CROCKFORD).decode()


def api_token(random: bytes) -> str:
    """``r8_`` and 37 letters or digits from at least 37 random bytes."""
    return "r8_" + "".join(_TOKEN_LETTERS[byte % len(_TOKEN_LETTERS)] for byte in random[:37])


def token_digest(token: str) -> str:
    """What is stored of a token: sha256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def webhook_secret(random: bytes) -> str:
    """``whsec_`` and the standard base64 of 24 random bytes."""
    return "whsec_" + base64.b64encode(random[:24]).decode()


def is_version_id(text: str) -> bool:
    """Whether the text is 64 lower-case hex digits."""
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)


def file_id(random: bytes) -> str:
    """48 characters: the base64 of a random UUID's text (section 4.9); never needs URL escaping."""
    text = str(uuid.UUID(bytes=random[:16], version=4))
    return base64.b64encode(text.encode()).decode()
