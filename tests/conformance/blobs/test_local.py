"""What only the local blobs promise: files and modes, ages, devices, nothing left lying about."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stoker.files.local import LocalBlobs
from stoker.files.shelf import Shelf
from tests.conformance.blobs.contents import MIB, chunks, known, pattern, read, taken, written

HOUR_S = 3600.0


@pytest.fixture
def blobs(data_dir: Path) -> LocalBlobs:
    return LocalBlobs(data_dir)


def left_over(data_dir: Path) -> list[Path]:
    return list((data_dir / "blobs" / "incoming").iterdir())


def make_old(path: Path) -> None:
    long_ago = time.time() - 10 * HOUR_S
    os.utime(path, (long_ago, long_ago))


def test_a_blob_is_a_read_only_file_in_a_folder_of_its_first_two_digits(blobs: LocalBlobs, data_dir: Path):
    asyncio.run(blobs.put(chunks(b"hello")))
    sha256 = known(b"hello").sha256
    path = data_dir / "blobs" / sha256[:2] / sha256
    assert path.read_bytes() == b"hello"
    assert path.stat().st_mode & 0o777 == 0o444
    assert left_over(data_dir) == []


def test_a_taken_over_file_is_moved_not_copied(blobs: LocalBlobs, tmp_path: Path):
    path = written(tmp_path / "file", b"moved")
    number = path.stat().st_ino
    blob = asyncio.run(blobs.adopt(path))
    kept = asyncio.run(blobs.local(blob.sha256))
    assert (kept.stat().st_ino, kept.stat().st_mode & 0o777) == (number, 0o444)


def test_a_file_with_another_name_is_copied_and_the_other_name_stays_as_it_was(
    blobs: LocalBlobs, tmp_path: Path
):
    path = written(tmp_path / "file", b"shared")
    other = tmp_path / "other"
    other.hardlink_to(path)
    blob = asyncio.run(blobs.adopt(path))
    kept = asyncio.run(blobs.local(blob.sha256))
    assert not path.exists()
    assert kept.read_bytes() == b"shared"
    assert other.stat().st_ino != kept.stat().st_ino
    assert other.stat().st_mode & 0o200


@pytest.mark.parametrize("synced", [True, False])
def test_a_file_from_another_device_is_copied(
    blobs: LocalBlobs, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch, synced: bool
):
    data = pattern(2 * MIB + 1)
    path = written(tmp_path / "file", data)
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self == path:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    assert asyncio.run(blobs.adopt(path, synced=synced)) == taken(data)
    assert asyncio.run(read(blobs, taken(data).sha256)) == data
    assert not path.exists()
    assert left_over(data_dir) == []


def test_a_full_disk_leaves_nothing_behind(
    blobs: LocalBlobs, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = written(tmp_path / "file", b"output")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            asyncio.run(blobs.put(chunks(b"hello")))
        with pytest.raises(OSError, match="No space"):
            asyncio.run(blobs.adopt(path))
    assert left_over(data_dir) == []
    assert path.read_bytes() == b"output"
    assert asyncio.run(blobs.put(chunks(b"hello"))) == known(b"hello")


def test_a_put_that_is_cancelled_leaves_nothing_behind(blobs: LocalBlobs, data_dir: Path):
    async def story() -> None:
        written_some = asyncio.Event()

        async def never_ending() -> AsyncIterator[bytes]:
            yield b"x" * (2 * MIB)
            written_some.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(blobs.put(never_ending()))
        await written_some.wait()
        assert len(left_over(data_dir)) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left_over(data_dir) == []

    asyncio.run(asyncio.wait_for(story(), 30))


def test_files_that_a_killed_server_left_are_removed_at_the_start(data_dir: Path, blobs: LocalBlobs):
    half = written(data_dir / "blobs" / "incoming" / "0badcafe-half", b"half")
    kept = asyncio.run(blobs.put(chunks(b"whole"))).sha256
    again = LocalBlobs(data_dir)
    assert not half.exists()
    assert asyncio.run(read(again, kept)) == b"whole"


def test_what_is_put_again_or_asked_for_is_young_again(blobs: LocalBlobs, tmp_path: Path):
    async def story() -> None:
        texts = [b"put", b"adopted", b"asked", b"neither"]
        digests = [(await blobs.put(chunks(text))).sha256 for text in texts]
        for digest in digests:
            make_old(await blobs.local(digest))
        await blobs.put(chunks(b"put"))
        await blobs.adopt(written(tmp_path / "file", b"adopted"))
        assert await blobs.missing({digests[2]}) == set()
        assert await blobs.sweep(set(), older_than_s=HOUR_S) == 1
        assert await blobs.missing(set(digests)) == {digests[3]}

    asyncio.run(story())


def test_what_is_put_while_a_sweep_removes_it_is_here_afterwards(blobs: LocalBlobs):
    """Each round a put and a sweep meet at a blob that is old; whoever comes first, the put's bytes stay."""

    async def story() -> None:
        for number in range(60):
            data = b"round %d" % number
            sha256 = (await blobs.put(chunks(data))).sha256
            make_old(await blobs.local(sha256))
            await asyncio.gather(
                blobs.sweep(set(), older_than_s=HOUR_S), blobs.put(chunks(data)), blobs.put(chunks(data))
            )
            assert await read(blobs, sha256) == data

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_reader_keeps_what_is_swept_while_it_reads(blobs: LocalBlobs):
    data = pattern(3 * MIB)

    async def story() -> None:
        sha256 = (await blobs.put(chunks(data))).sha256
        reading = blobs.open(sha256)
        first = await anext(reading)
        assert await blobs.sweep(set(), older_than_s=-1) == 1
        assert first + b"".join([chunk async for chunk in reading]) == data

    asyncio.run(story())


def test_a_sweep_leaves_what_is_not_a_blob(blobs: LocalBlobs, data_dir: Path):
    (data_dir / "blobs" / "ab").mkdir()
    strange = written(data_dir / "blobs" / "ab" / "notes.txt", b"mine")
    assert asyncio.run(blobs.sweep(set(), older_than_s=-1)) == 0
    assert strange.exists()


def test_an_old_blob_is_removed_only_if_it_is_still_old(data_dir: Path):
    shelf = Shelf(data_dir)
    path = shelf.path("a" * 64)
    path.parent.mkdir(parents=True)
    path.touch()
    assert shelf.sweep(set(), older_than_s=HOUR_S) == 0
    make_old(path)
    assert shelf.keep_young("a" * 64)
    assert shelf.sweep(set(), older_than_s=HOUR_S) == 0
    make_old(path)
    assert shelf.sweep({"a" * 64}, older_than_s=HOUR_S) == 0
    assert shelf.sweep(set(), older_than_s=HOUR_S) == 1
