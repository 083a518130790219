"""Hugging Face over HTTP: what a repository has, and its files. Built by ``main``; used by port.

It speaks the two endpoints that it needs (a revision's listing, a file's content with Range); docs/adr/0005
says why not the hub's own library. The token goes to the hub alone: where the hub sends us to another host
for the content, it is left behind.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec

from stoker.core.errors import FetchFailed
from stoker.ports.hub import Content, HubFile, Interrupted, Listing

HUB = "https://huggingface.co"
_CHUNK_BYTES = 1024 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=60)
_NETWORK = (aiohttp.ClientError, TimeoutError, OSError)


class _Large(msgspec.Struct):
    sha256: str
    size: int


class _Sibling(msgspec.Struct):
    rfilename: str
    size: int | None = None
    blobId: str | None = None
    lfs: _Large | None = None


class _Repository(msgspec.Struct):
    sha: str
    siblings: list[_Sibling] = []


class HuggingFace:
    """``url`` is the hub's, without a slash at the end; ``token`` is for what is not everybody's to read."""

    def __init__(self, url: str = HUB, token: str | None = None):
        self._url = url.rstrip("/")
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def list_files(self, repo: str, revision: str | None) -> Listing:
        path = f"/api/models/{repo}/revision/{quote(revision or 'main', safe='')}?blobs=true"
        try:
            async with self._open().get(self._url + path, headers=self._headers()) as answer:
                self._check(answer, repo, revision)
                repository = msgspec.json.decode(await answer.read(), type=_Repository)
        except _NETWORK as error:
            raise FetchFailed(self._unreachable(error, repo)) from error
        except Interrupted as error:
            raise FetchFailed(f"The hub at {self._url} {error}. Try again later.") from error
        except msgspec.MsgspecError as error:
            raise FetchFailed(f"What answers at {self._url} is no hub: {error}.") from error
        return Listing(commit=repository.sha, files=tuple(map(_file, repository.siblings)))

    @asynccontextmanager
    async def read(self, repo: str, commit: str, path: str, *, start: int) -> AsyncGenerator[Content]:
        url = f"{self._url}/{repo}/resolve/{commit}/{quote(path)}"
        headers = self._headers() | ({"range": f"bytes={start}-"} if start else {})
        try:
            answer = await self._open().get(url, headers=headers)
        except _NETWORK as error:
            raise Interrupted(_reason(error)) from error
        async with answer:  # what goes wrong with the reader, such as its disk, is not the hub's
            self._check(answer, repo, commit, path)
            yield Content(start if answer.status == 206 else 0, _chunks(answer))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A mirror on this machine is never behind the proxy that the environment may name.
            is_near = urlsplit(self._url).hostname in ("127.0.0.1", "localhost", "::1")
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=not is_near)
        return self._session

    def _headers(self) -> dict[str, str]:
        # Compressed, a range would be one of something else.
        plain = {"accept-encoding": "identity", "user-agent": "stoker"}
        return plain | ({"authorization": f"Bearer {self._token}"} if self._token else {})

    def _check(
        self, answer: aiohttp.ClientResponse, repo: str, revision: str | None, path: str | None = None
    ) -> None:
        if answer.status in (200, 206):
            return
        if answer.status == 429 or answer.status >= 500:
            raise Interrupted(f"answered with status {answer.status}")
        raise FetchFailed(self._refusal(answer, repo, revision, path))

    def _refusal(
        self, answer: aiohttp.ClientResponse, repo: str, revision: str | None, path: str | None
    ) -> str:
        code = answer.headers.get("x-error-code", "")
        if answer.status == 401:
            token = "does not accept the token that the server has" if self._token else "asks for a token"
            return (
                f"The hub {token}: {repo} does not exist, is private, or is gated. Check the name; for a "
                f"gated model accept its terms at {self._url}/{repo} and start the server with a token of "
                f"that account in HF_TOKEN."
            )
        if answer.status == 403:
            return (
                f"The hub does not give {repo} to the server's token. Accept the model's terms at "
                f"{self._url}/{repo} with the account of the token in HF_TOKEN, wait until access is "
                f"granted, and try again."
            )
        if code == "RevisionNotFound":
            return f"{repo} has no revision {revision or 'main'} on the hub."
        if answer.status == 404:
            what = f"no file {path} in {repo}" if path else f"no model {repo}"
            return f"There is {what} on the hub at {self._url}. Check the name."
        return f"The hub at {self._url} refused {repo} with status {answer.status}."

    def _unreachable(self, error: BaseException, repo: str) -> str:
        return (
            f"The hub at {self._url} cannot be reached from the server: {_reason(error)}. Name a mirror in "
            f"HF_ENDPOINT, or download {repo} on another machine and give the folder with --weights."
        )


def _file(sibling: _Sibling) -> HubFile:
    if sibling.lfs is not None:
        return HubFile(path=sibling.rfilename, size_bytes=sibling.lfs.size, sha256=sibling.lfs.sha256)
    return HubFile(path=sibling.rfilename, size_bytes=sibling.size or 0, git_sha1=sibling.blobId)


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            yield chunk
    except _NETWORK as error:
        raise Interrupted(_reason(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        # The library's own words tell of its settings, too.
        return f"{error.host}:{error.port}: {_words(error.os_error)}"
    return str(error) or type(error).__name__


def _words(error: OSError) -> str:
    """What the system calls it; names that are not known and TLS have numbers, and words, of their own."""
    number = error.errno or 0
    is_systems = number > 0 and not isinstance(error, ssl.SSLError)
    return os.strerror(number) if is_systems else str(error.strerror or error)
