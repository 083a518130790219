"""Fetching the files of an input: what a cancellation leaves, whose fault a failure is, what names become."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.core.catalog import Account, FileRecord, Member, Version
from stoker.core.errors import Invalid
from stoker.files.local import LocalBlobs
from stoker.runtime.inputs import InputFiles
from stoker.runtime.outbound import Outbound
from stoker_worker.inbound import Folder
from tests.runtime.stage import Stage, play, until
from tests.runtime.test_outbound import Drip
from tests.web_server import Web

FILE: dict[str, Any] = {"type": "string", "format": "uri"}
SCHEMA: dict[str, Any] = {
    "components": {"schemas": {"Input": {"type": "object", "properties": {"a": FILE, "b": FILE}}}}
}


async def file_version(stage: Stage) -> Version:
    return msgspec.structs.replace(await stage.version(), openapi_schema=SCHEMA)


def input_files(stage: Stage, outbound: Outbound) -> InputFiles:
    return InputFiles(
        store=stage.store,
        blobs=LocalBlobs(stage.settings.data_dir),
        outbound=outbound,
        links=stage.links,
        clock=stage.clock,
        settings=stage.settings,
    )


async def gone(folder: Path) -> None:
    """Returns when a thread has removed the folder."""
    await until(lambda: not folder.exists())


@pytest.mark.parametrize("release_first", [False, True])
def test_a_cancelled_fetch_leaves_no_folder(release_first: bool, tmp_path: Path):
    """Whether the prediction is over before the fetch has been told to stop, or after it has stopped."""

    async def story(stage: Stage) -> None:
        outbound = Outbound(["127.0.0.0/8"])
        version = await file_version(stage)
        files, prediction = input_files(stage, outbound), stage.prediction(version)
        folder = tmp_path / "tmp" / "inputs" / prediction.id
        async with Drip() as drip:
            urls = {"a": f"{drip.url}/a", "b": f"{drip.url}/b"}
            task = asyncio.create_task(files.fetch(prediction, urls, version))
            await drip.came(2)
            await until(lambda: folder.exists() and len(list(folder.iterdir())) == 2)
            if release_first:
                files.release(prediction.id)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            if not release_first:
                assert list(folder.iterdir()) == []
                files.release(prediction.id)
            await gone(folder)
            await drip.left()
        await outbound.close()

    play(tmp_path, story)


def test_a_fetch_that_succeeds_too_late_leaves_no_folder(tmp_path: Path):
    async def story(stage: Stage) -> None:
        outbound = Outbound(["127.0.0.0/8"])
        version = await file_version(stage)
        files, prediction = input_files(stage, outbound), stage.prediction(version)
        task = asyncio.create_task(files.fetch(prediction, {"a": f"{web.url}/a"}, version))
        folder = tmp_path / "tmp" / "inputs" / prediction.id
        await until(folder.exists)
        files.release(prediction.id)
        await task
        await gone(folder)
        await outbound.close()

    with Web() as web:
        web.files["/a"] = b"x"
        play(tmp_path, story)


def fetch(tmp_path: Path, path: str, *, break_disk: bool = False) -> None:
    """Fetches two files, of which the first is not there."""

    async def story(stage: Stage) -> None:
        outbound = Outbound(["127.0.0.0/8"])
        version = await file_version(stage)
        files = input_files(stage, outbound)
        if break_disk:
            shutil.rmtree(tmp_path / "tmp", ignore_errors=True)
            (tmp_path / "tmp").write_text("not a folder")
        urls = {"a": f"{web.url}/none", "b": f"{web.url}{path}"}
        try:
            await files.fetch(stage.prediction(version), urls, version)
        finally:
            await outbound.close()

    with Web() as web:
        web.files["/there"] = b"x"
        play(tmp_path, story)


@pytest.mark.parametrize(("whose", "given"), [("local", True), ("team", True), ("others", False)])
def test_own_files_and_those_of_ones_organisations_are_read(whose: str, given: bool, tmp_path: Path):
    found: list[tuple[str, str]] = []

    async def content() -> AsyncIterator[bytes]:
        yield b"bytes"

    async def story(stage: Stage) -> None:
        version = await file_version(stage)
        files = input_files(stage, Outbound([]))
        blob = await LocalBlobs(stage.settings.data_dir).put(content())
        record = FileRecord(
            id="f",
            account=whose,
            origin="upload",
            name="a.txt",
            content_type="text/plain",
            size_bytes=blob.size_bytes,
            sha256=blob.sha256,
            created_us=1,
            expires_us=2**60,
        )
        await stage.store.files.create(record)
        for name in ("team", "others"):
            account = Account(name=name, kind="organization", created_us=1, webhook_secret="whsec_x")
            await stage.store.accounts.create(account)
        await stage.store.accounts.create(Account(name="local", created_us=1, webhook_secret="whsec_x"))
        member = Member(organization="team", account="local", created_us=1)
        await stage.store.accounts.set_member(member)
        fetched = files.fetch(stage.prediction(version), {"a": stage.links.file("f")}, version)
        if not given:
            with pytest.raises(Invalid, match="404"):
                await fetched
            return
        (file,) = await fetched
        found.append((file.name, file.path))

    play(tmp_path, story)
    assert [(name, Path(path).read_bytes()) for name, path in found] == (
        [("a.txt", b"bytes")] if given else []
    )


def test_a_file_that_is_not_there_is_the_caller_s_fault(tmp_path: Path):
    with pytest.raises(Invalid, match="404 Client Error"):
        fetch(tmp_path, "/there")


def test_a_broken_disk_is_not_the_caller_s_fault(tmp_path: Path):
    with pytest.raises(OSError, match="tmp"):
        fetch(tmp_path, "/there", break_disk=True)


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a/.."])
def test_a_model_s_file_always_has_a_name(name: str, tmp_path: Path):
    original = tmp_path / "original"
    original.write_bytes(b"x")
    folder = Folder()
    try:
        placed = Path(folder.place(str(original), name))
        assert (placed.name, placed.read_bytes()) == ("file", b"x")
    finally:
        folder.close()
