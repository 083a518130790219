"""Local blobs that wait for their disk: when they do, where they are, and what a power cut leaves of them."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from stoker.core.errors import NotFound
from stoker.files.local import LocalBlobs
from tests.conformance.blobs.contents import MIB, chunks, pattern, read, taken, written


@pytest.fixture
def blobs(data_dir: Path) -> LocalBlobs:
    return LocalBlobs(data_dir)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what waited for the disk."""
    names: list[str] = []
    real = os.fsync

    def fsync(file: int) -> None:
        names.append(Path(f"/proc/self/fd/{file}").readlink().name)
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


def fresh(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "blobs" / "fresh").iterdir())


def adopt(blobs: LocalBlobs, path: Path, data: bytes) -> str:
    return asyncio.run(blobs.adopt(written(path, data), synced=False)).sha256


def test_what_is_not_to_be_synced_waits_for_no_disk(
    blobs: LocalBlobs, data_dir: Path, tmp_path: Path, synced: list[str]
):
    sha256 = adopt(blobs, tmp_path / "file", b"picture")
    assert synced == []
    assert fresh(data_dir) == [sha256]
    asyncio.run(blobs.sync())
    assert synced == [sha256, "blobs", sha256[:2]]
    assert fresh(data_dir) == []
    kept = data_dir / "blobs" / sha256[:2] / sha256
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (b"picture", 0o444)
    asyncio.run(blobs.sync())
    assert len(synced) == 3


def test_whoever_relies_on_it_has_it_synced_first(
    blobs: LocalBlobs, data_dir: Path, tmp_path: Path, synced: list[str]
):
    async def story() -> None:
        for text in (b"asked", b"put", b"adopted", b"local"):
            sha256 = (await blobs.adopt(written(tmp_path / "file", text), synced=False)).sha256
            before = len(synced)
            if text == b"asked":
                await blobs.missing({sha256})
            elif text == b"put":
                await blobs.put(chunks(text))
            elif text == b"adopted":
                await blobs.adopt(written(tmp_path / "file", text))
            else:
                assert (await blobs.local(sha256)).parent.name == sha256[:2]
            assert synced[before] == sha256
            assert fresh(data_dir) == []

    asyncio.run(story())


def test_after_a_power_cut_what_lost_its_bytes_is_not_here(blobs: LocalBlobs, data_dir: Path, tmp_path: Path):
    whole, cut = (adopt(blobs, tmp_path / "file", pattern(MIB, seed)) for seed in (1, 2))
    path = data_dir / "blobs" / "fresh" / cut
    path.chmod(0o600)
    os.truncate(path, 1000)
    written(data_dir / "blobs" / "fresh" / "notes", b"not a blob")
    again = LocalBlobs(data_dir)
    assert fresh(data_dir) == [whole]
    assert asyncio.run(read(again, whole)) == pattern(MIB, 1)
    with pytest.raises(NotFound):
        asyncio.run(read(again, cut))
    assert adopt(again, tmp_path / "file", pattern(MIB, 2)) == cut
    asyncio.run(again.sync())
    assert asyncio.run(read(again, cut)) == pattern(MIB, 2)


def test_a_sync_that_fails_may_succeed_later(
    blobs: LocalBlobs, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def failing(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    sha256 = adopt(blobs, tmp_path / "file", b"picture")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match="Input/output"):
            asyncio.run(blobs.sync())
    assert fresh(data_dir) == [sha256]
    assert asyncio.run(read(blobs, sha256)) == b"picture"
    asyncio.run(blobs.sync())
    assert fresh(data_dir) == []
    assert asyncio.run(read(blobs, sha256)) == b"picture"


def test_a_reader_may_begin_before_the_sync_and_go_on_after_it(blobs: LocalBlobs, tmp_path: Path):
    data = pattern(2 * MIB)

    async def story() -> None:
        sha256 = (await blobs.adopt(written(tmp_path / "file", data), synced=False)).sha256
        reading, late = blobs.open(sha256), blobs.open(sha256)
        first = await anext(reading)
        await blobs.sync()
        assert first + b"".join([chunk async for chunk in reading]) == data
        assert b"".join([chunk async for chunk in late]) == data

    asyncio.run(story())


@pytest.mark.parametrize("before", [True, False])
def test_a_picture_comes_in_one_piece_and_a_film_in_many(blobs: LocalBlobs, tmp_path: Path, before: bool):
    async def story() -> None:
        for size, pieces in ((0, 0), (1, 1), (MIB, 1), (MIB + 1, 5)):
            data = pattern(size)
            sha256 = (await blobs.adopt(written(tmp_path / "file", data), synced=False)).sha256
            if not before:
                await blobs.sync()
            for end in (size, None):
                chunks = [chunk async for chunk in blobs.open(sha256, end=end)]
                assert (len(chunks), b"".join(chunks)) == (pieces, data)
            assert taken(data).sha256 == sha256

    asyncio.run(story())
