"""Where models' weights are published. Asked by ``packaging.checkpoints`` alone."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec


class HubFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    size_bytes: int
    sha256: str | None = None
    git_sha1: str | None = None
    """Of small files the hub tells git's digest instead: sha1 over ``blob SIZE\\0`` and the content."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    commit: str
    """40 hex digits; the files of a commit never change."""
    files: tuple[HubFile, ...]


class Content(msgspec.Struct, frozen=True):
    start: int
    """Where the bytes begin: as asked, or 0 where the hub gives all or nothing."""
    chunks: AsyncIterator[bytes]


class Interrupted(Exception):
    """The hub, or the way to it, failed in a manner that may be over in a moment."""


class Hub(Protocol):
    async def list_files(self, repo: str, revision: str | None) -> Listing:
        """Raises ``FetchFailed`` with what to do: no such thing, no access, no way there."""
        ...

    def read(self, repo: str, commit: str, path: str, *, start: int) -> AbstractAsyncContextManager[Content]:
        """A file from that byte on. Raises ``FetchFailed``, or (also while it is read) ``Interrupted``."""
        ...
