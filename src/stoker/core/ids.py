"""Identifiers: how each one is written, from random bytes and times given by the caller.

Formats: section 4.6 (predictions), 2 (tokens) and 4.10 (webhook secrets) of the HTTP contract.
"""

import base64
import hashlib
import re
import string
import uuid

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_TOKEN_LETTERS = string.ascii_letters + string.digits
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)
_LETTER_OF_BYTE = _CROCKFORD.encode() * 8
_VERSION_ID = re.compile(r"[0-9a-f]{64}")

TOKEN_LENGTH = 40


def prediction_id(now_us: int, random: bytes) -> str:
    """26 characters of Crockford base32: 48 bits of milliseconds, then 80 random bits (10 bytes)."""
    return _crockford((now_us // 1000).to_bytes(6, "big") + random[:10])


def opaque_key(random: bytes) -> str:
    """A capability for a URL: lower-case Crockford base32 without padding."""
    return _crockford(random)


def stream_key(random: bytes) -> str:
    """52 letters of the same alphabet for a stream's URL (section 8.1), from as many random bytes."""
    return random[:52].translate(_LETTER_OF_BYTE).decode()


def api_token(random: bytes) -> str:
    """``r8_`` and 37 letters or digits from at least 37 random bytes."""
    return "r8_" + "".join(_TOKEN_LETTERS[byte % len(_TOKEN_LETTERS)] for byte in random[:37])


def token_digest(token: str) -> str:
    """What is stored of a token: sha256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def webhook_secret(random: bytes) -> str:
    """``whsec_`` and the standard base64 of 24 random bytes."""
    return "whsec_" + base64.b64encode(random[:24]).decode()


def is_webhook_secret(text: str) -> bool:
    """Whether the text is one that every client can read: exactly one underscore, standard base64."""
    encoded = text.removeprefix("whsec_")
    try:
        return encoded != text and 16 <= len(base64.b64decode(encoded, validate=True)) <= 64
    except ValueError:
        return False


NAME_RULE = "lower-case letters, digits, dots, dashes and underscores, beginning with a letter or digit"


def is_name(text: str) -> bool:
    """Whether an account or a model may be called that: up to 63 characters of ``NAME_RULE``."""
    return re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", text) is not None


def is_version_id(text: str) -> bool:
    """Whether the text is 64 lower-case hex digits."""
    return _VERSION_ID.fullmatch(text) is not None


def file_id(random: bytes) -> str:
    """48 characters: the base64 of a random UUID's text (section 4.9); never needs URL escaping."""
    text = str(uuid.UUID(bytes=random[:16], version=4))
    return base64.b64encode(text.encode()).decode()


def _crockford(raw: bytes) -> str:
    """Base32 without padding, two letters at a time; the standard library's takes six times as long."""
    letters = -(-len(raw) * 8 // 5)
    even = letters + letters % 2
    number = int.from_bytes(raw, "big") << (even * 5 - len(raw) * 8)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(even * 5 - 10, -10, -10)])[:letters]
