"""Fetches the files that an input names, before its run: the model sees local files.

Called by dispatch. Our own files come from the blob store, others over the network through the one door
(``outbound``), into a folder of the prediction that goes when the prediction is over.
"""

import asyncio
import shutil
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from stoker.core.catalog import FileRecord, Version
from stoker.core.errors import BuildFailed, Invalid, NotFound, StokerError, StorageFailed
from stoker.core.hosting import WEIGHTS_INPUT
from stoker.core.inputs import Place, file_inputs, files_in, put
from stoker.core.links import Links
from stoker.core.permissions import Caller, may
from stoker.core.prediction import Kind, Prediction
from stoker.core.settings import Settings
from stoker.ports.blobs import Blobs
from stoker.ports.clock import Clock
from stoker.ports.engine import InputFile
from stoker.ports.store import Store
from stoker.runtime.outbound import Outbound

NAME_LIMIT_BYTES = 200


class InputFiles:
    def __init__(
        self,
        *,
        store: Store,
        blobs: Blobs,
        outbound: Outbound,
        links: Links,
        clock: Clock,
        settings: Settings,
    ):
        self._store = store
        self._blobs = blobs
        self._outbound = outbound
        self._links = links
        self._clock = clock
        self._settings = settings
        self._folder = settings.data_dir / "tmp" / "inputs"
        self._own = links.base.encode()
        self._by_version: dict[tuple[str, Kind], dict[str, str | None]] = {}
        self._folders: set[str] = set()
        self._fetching: set[str] = set()
        self._lent: dict[str, str] = {}
        """The weights (sha256) that predictions bring to their runs, until they are over."""
        self._found: dict[str, str] = {}
        """Where weights are, by their sha256; they stay there for as long as a version has them."""
        self._over_early: set[str] = set()
        """Predictions that were over while their files were still being fetched."""
        self._leftover: set[asyncio.Task[None]] = set()
        shutil.rmtree(self._folder, ignore_errors=True)

    def needed(self, prediction: Prediction, input: dict[str, Any], version: Version) -> bool:
        """Whether anything has to be fetched; quick, since every prediction is asked."""
        files = self._files_of(version, prediction.kind)
        return any(input.get(name, files[name]) for name in files) or self._own in bytes(prediction.input)

    async def fetch(self, prediction: Prediction, input: dict[str, Any], version: Version) -> list[InputFile]:
        """Fetches all files, in parallel. Our own links elsewhere in the input become links to the bytes.

        Raises ``Invalid`` with the reason for the first file that cannot be had, and what our own disk and
        database raise (``OSError``, ``StorageFailed``) as it is. To be cancelled where nobody waits for them.
        """
        self._fetching.add(prediction.id)
        try:
            return await self._fetch(prediction, input, version)
        finally:
            self._fetching.discard(prediction.id)
            if prediction.id in self._over_early:
                self._over_early.discard(prediction.id)
                self.release(prediction.id)

    async def weights(self, id: str, version: Version) -> InputFile:
        """A version's trained weights, which a prediction brings to its run.

        Raises ``BuildFailed`` where they are gone.
        """
        sha256, name = version.recipe.weights or "", version.recipe.weights_name
        self._lent[id] = sha256
        try:
            self._found[sha256] = str(await self._blobs.local(sha256))
        except NotFound:
            raise BuildFailed(
                f"The weights {name} are gone from the server. Train the version again."
            ) from None
        return self._handed(sha256, name)

    def known_weights(self, id: str, version: Version) -> InputFile | None:
        """The same at once, if they were found before."""
        sha256 = version.recipe.weights or ""
        if sha256 not in self._found:
            return None
        self._lent[id] = sha256
        return self._handed(sha256, version.recipe.weights_name)

    def lent(self) -> set[str]:
        """Weights that predictions bring which are not over, though their version may be deleted."""
        return set(self._lent.values())

    def release(self, id: str) -> None:
        """The prediction is over: its fetched files go, once nothing is being written there any more."""
        self._lent.pop(id, None)
        if id in self._fetching:
            self._over_early.add(id)
        elif id in self._folders:
            self._folders.discard(id)
            removal = asyncio.to_thread(shutil.rmtree, self._folder / id, ignore_errors=True)
            task = asyncio.get_running_loop().create_task(removal)
            self._leftover.add(task)
            task.add_done_callback(self._leftover.discard)

    def _handed(self, sha256: str, name: str) -> InputFile:
        return InputFile(at=[WEIGHTS_INPUT], path=self._found[sha256], name=name, lasting=True)

    async def _fetch(
        self, prediction: Prediction, input: dict[str, Any], version: Version
    ) -> list[InputFile]:
        places = list(files_in(input, self._files_of(version, prediction.kind)))
        for at, url in places:
            if len(at) == 1:
                input[str(at[0])] = url
        await self._open_own_links(input, {tuple(at) for at, _ in places}, prediction.account)
        wanted = [(at, url) for at, url in places if url.startswith(("http://", "https://"))]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._one(prediction, n, at, url)) for n, (at, url) in enumerate(wanted)
                ]
        except ExceptionGroup as errors:
            raise _worst(errors.exceptions) from errors
        return [task.result() for task in tasks]

    async def _one(self, prediction: Prediction, number: int, at: Place, url: str) -> InputFile:
        if own := self._links.own_file(url):
            return await self._own_file(own, at, url, prediction.account)
        folder = self._folder / prediction.id
        self._folders.add(prediction.id)
        # Not in a thread, which would outlive a cancellation and make the folder after its removal.
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / str(number)
        await self._outbound.download(url, path, limit_bytes=self._settings.input_file_limit_bytes)
        return InputFile(at=at, path=str(path), name=name_of(url))

    async def _own_file(self, id: str, at: Place, url: str, account: str) -> InputFile:
        record = await self._store.files.get(id)
        if record is None or not (self._is_open(id, url) or await self._may_see(account, record)):
            raise Invalid(f"404 Client Error: Not Found for url: {url}")
        return InputFile(at=at, path=str(await self._blobs.local(record.sha256)), name=record.name)

    async def _may_see(self, account: str, record: FileRecord) -> bool:
        """The account itself, or an organisation that it belongs to now."""
        if record.account == account:
            return True
        roles = await self._store.accounts.roles(account)
        return may(Caller(id="", account=account, scope="read", roles=roles), "see", record)

    def _is_open(self, id: str, url: str) -> bool:
        """Whether it is a signed link that is still good."""
        parts = urlsplit(url).path.split("/")
        return len(parts) >= 2 and self._links.opens(id, parts[-2], now_us=self._clock.now_us())

    async def _open_own_links(
        self, input: dict[str, Any], done: set[tuple[str | int, ...]], account: str
    ) -> None:
        """A link to our description of a file is no use to a model: it gets one to the bytes."""
        for at, text in _texts(input, []):
            id = self._links.own_file(text) if tuple(at) not in done else None
            record = await self._store.files.get(id) if id else None
            if record is not None and await self._may_see(account, record):
                put(input, at, self._links.content(record.id, record.name, expires_us=record.expires_us))

    def _files_of(self, version: Version, kind: Kind) -> dict[str, str | None]:
        key = (version.id, kind)
        if key not in self._by_version:
            schema = version.input_schema if kind == "prediction" else version.training_schema
            self._by_version[key] = file_inputs(schema)
        return self._by_version[key]


def name_of(url: str) -> str:
    """The last part of a URL's path as a file name (section 4.5 of the Cog contract); at most 200 bytes.

    What cannot be the name of a file is ``file``.
    """
    name = unquote_plus(urlsplit(url).path.rsplit("/", 1)[-1]).replace("/", "_").replace("\0", "_")
    if name in ("", ".", ".."):
        return "file"
    if len(name.encode()) <= NAME_LIMIT_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f"~{dot}{extension}" if dot and len(extension.encode()) < 20 else "~"
    room = NAME_LIMIT_BYTES - len(ending.encode())
    return (stem or name).encode()[:room].decode(errors="ignore") + ending


def _worst(errors: Sequence[Exception]) -> Exception:
    """Our own failure before what the caller got wrong."""
    for error in errors:
        if isinstance(error, StorageFailed) or not isinstance(error, StokerError):
            return error
    return Invalid(str(errors[0]))


def _texts(value: Any, at: Place) -> list[tuple[Place, str]]:
    """Every text in a JSON value, with its place."""
    if isinstance(value, str):
        return [(at, value)]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in inner for found in _texts(item, [*at, key])]
