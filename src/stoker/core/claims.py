"""Idempotency keys: what a caller's own key for a create stands for, and for how long. Pure.

A claim is made before anything is created and holds what the creation takes from chance and from the clock,
so that a server that dies in between finds under the same ids and times what it had made.
"""

import hashlib

import msgspec

from stoker.core.errors import FieldProblem, InputInvalid, Invalid

KEPT_US = 24 * 3600 * 1_000_000
SEED_BYTES = 16
LONGEST = 255
REUSED = "This Idempotency-Key was used for another request within the last 24 hours. Use a new key."


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """That an account's key belongs to one request."""

    account: str
    key: str
    said: str
    """sha256 of what the request said."""
    seed: bytes
    """Random; the ids of what the request creates are made of it."""
    created_us: int
    answer: msgspec.Raw | None = None
    """The JSON that was answered, where that is not read from what was created."""
    status: int = 0
    """Goes with the answer."""


def key_of(text: str | None) -> str | None:
    """The key that a header gives; raises ``InputInvalid`` for one that cannot be kept."""
    if text is None:
        return None
    if not 0 < len(text) <= LONGEST or not (text.isascii() and text.isprintable()):
        says = f"Must be 1 to {LONGEST} visible characters"
        raise InputInvalid([FieldProblem("invalid", "Idempotency-Key", says)])
    return text


def said(method: str, path: str, *parts: bytes) -> str:
    """What makes two requests the same."""
    digest = hashlib.sha256(f"{method} {path}".encode())
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


def check_same(kept: Claim, asked: Claim) -> None:
    """Raises ``Invalid`` where the key is another request's."""
    if kept.said != asked.said:
        raise Invalid(REUSED)
