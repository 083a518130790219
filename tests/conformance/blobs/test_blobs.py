"""What every blob store does: bytes come back under their digest, whole, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from stoker.core.errors import NotFound, TooLarge
from stoker.ports.blobs import Blobs
from tests.conformance.blobs.conftest import Play
from tests.conformance.blobs.contents import MIB, chunks, known, pattern, read, taken, written

NOBODY = "0" * 64
NOT_DIGESTS = ["", "abc", "../" * 21 + "a", "A" * 64, "/" * 64, "a" * 63 + "\n", "a" * 65, "é" * 64]


@pytest.mark.parametrize("size", [0, 1, 1000, MIB - 1, MIB, 3 * MIB + 17])
def test_bytes_come_back_under_their_digest(play: Play, size: int):
    data = pattern(size)

    async def put(blobs: Blobs) -> None:
        assert await blobs.put(chunks(data)) == known(data)
        assert await blobs.put(chunks(data, 999_983)) == known(data)

    async def get(blobs: Blobs) -> None:
        sha256 = known(data).sha256
        assert await read(blobs, sha256) == data
        assert (await blobs.local(sha256)).read_bytes() == data

    play(put)
    play(get)


def test_a_range_is_what_it_says(play: Play):
    data = pattern(700_000)

    async def story(blobs: Blobs) -> None:
        sha256 = (await blobs.put(chunks(data))).sha256
        for start, end in [(0, 0), (0, 1), (5, 5), (10, 300_000), (262_143, 262_145), (699_999, 700_000)]:
            assert await read(blobs, sha256, start=start, end=end) == data[start:end]
        assert await read(blobs, sha256, start=600_000) == data[600_000:]
        assert await read(blobs, sha256, start=699_000, end=900_000) == data[699_000:]
        assert await read(blobs, sha256, start=700_000) == b""
        assert await read(blobs, sha256, start=900_000) == b""

    play(story)


def test_a_reader_gets_parts_and_may_leave(play: Play):
    data = pattern(3 * MIB)

    async def story(blobs: Blobs) -> None:
        sha256 = (await blobs.put(chunks(data))).sha256
        sizes = [len(chunk) async for chunk in blobs.open(sha256)]
        assert 1 < len(sizes) <= 12
        async with aclosing(blobs.open(sha256)) as reading:  # type: ignore[type-var]
            async for chunk in reading:
                assert data.startswith(chunk)
                break

    play(story)


def test_what_is_not_here_is_not_found(play: Play):
    async def story(blobs: Blobs) -> None:
        for digest in [NOBODY, *NOT_DIGESTS]:
            with pytest.raises(NotFound):
                await read(blobs, digest)
            with pytest.raises(NotFound):
                await blobs.local(digest)

    play(story)


def test_missing_are_those_that_are_not_here(play: Play):
    async def story(blobs: Blobs) -> None:
        here = {(await blobs.put(chunks(text))).sha256 for text in (b"one", b"two")}
        absent = {NOBODY, *NOT_DIGESTS}
        assert await blobs.missing(here | absent) == absent
        assert await blobs.missing(set()) == set()

    play(story)


def test_a_limit_is_the_largest_size(play: Play):
    data = pattern(2 * MIB)

    async def story(blobs: Blobs) -> None:
        with pytest.raises(TooLarge, match=str(len(data) - 1)):
            await blobs.put(chunks(data), limit_bytes=len(data) - 1)
        assert await blobs.missing({known(data).sha256}) == {known(data).sha256}
        assert await blobs.put(chunks(data), limit_bytes=len(data)) == known(data)

    play(story)


def test_a_stream_that_breaks_leaves_nothing(play: Play):
    data = pattern(2 * MIB)

    async def breaking() -> AsyncIterator[bytes]:
        yield data
        raise ConnectionResetError("gone")

    async def story(blobs: Blobs) -> None:
        with pytest.raises(ConnectionResetError):
            await blobs.put(breaking())
        assert await blobs.missing({known(data).sha256}) == {known(data).sha256}

    play(story)


def test_the_same_bytes_may_come_from_many_at_once(play: Play):
    data = pattern(MIB + 5)

    async def story(blobs: Blobs) -> None:
        put = await asyncio.gather(*(blobs.put(chunks(data)) for _ in range(10)))
        assert put == [known(data)] * 10
        assert await read(blobs, known(data).sha256) == data

    play(story)


@pytest.mark.parametrize("synced", [True, False])
def test_a_file_is_taken_over(play: Play, tmp_path: Path, synced: bool):
    data, again = pattern(300_000), pattern(300_000)
    first, second = written(tmp_path / "first", data), written(tmp_path / "second", again)

    async def story(blobs: Blobs) -> None:
        assert await blobs.adopt(first, synced=synced) == taken(data)
        assert await blobs.adopt(second, synced=synced) == taken(data)
        assert await read(blobs, taken(data).sha256) == data
        assert await read(blobs, taken(data).sha256, start=7, end=299_000) == data[7:299_000]

    async def after_a_crash(blobs: Blobs) -> None:
        assert await read(blobs, taken(data).sha256) == data

    play(story)
    assert not first.exists()
    assert not second.exists()
    play(after_a_crash)


def test_what_was_taken_over_unsynced_is_as_any_other(play: Play, tmp_path: Path):
    texts = {name: name.encode() * 1000 for name in ("asked", "put", "local", "adopted", "synced", "left")}
    digests = {name: taken(text).sha256 for name, text in texts.items()}

    async def story(blobs: Blobs) -> None:
        for name, text in texts.items():
            await blobs.adopt(written(tmp_path / name, text), synced=False)
        assert await blobs.missing({digests["asked"], NOBODY}) == {NOBODY}
        assert await blobs.put(chunks(texts["put"])) == known(texts["put"])
        path = await blobs.local(digests["local"])
        await blobs.adopt(written(tmp_path / "again", texts["adopted"]))
        await blobs.sync()
        assert path.read_bytes() == texts["local"]
        for name, text in texts.items():
            assert await read(blobs, digests[name]) == text
        assert await blobs.sweep(set(digests.values()), older_than_s=-1) == 0
        assert await blobs.sweep(set(), older_than_s=-1) == len(texts)

    play(story)


def test_the_same_bytes_may_be_taken_over_by_many_at_once(play: Play, tmp_path: Path):
    data = pattern(MIB)

    async def story(blobs: Blobs) -> None:
        for number in range(5):
            files = [written(tmp_path / f"{n}", data + bytes([number])) for n in range(8)]
            adopted = (blobs.adopt(file, synced=n % 4 == 0) for n, file in enumerate(files))
            blob, *others = await asyncio.gather(*adopted, blobs.sync(), blobs.sync())
            assert others[:-2] == [blob] * 7
            assert await read(blobs, taken(data + bytes([number])).sha256) == data + bytes([number])

    play(story)
    assert not list(tmp_path.glob("[0-9]"))


def test_only_a_regular_file_is_taken_over(play: Play, tmp_path: Path):
    target = written(tmp_path / "target", b"not to be touched")
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "folder").mkdir()

    async def story(blobs: Blobs) -> None:
        for name in ("link", "folder", "nothing"):
            with pytest.raises(OSError, match=name):
                await blobs.adopt(tmp_path / name)

    play(story)
    assert target.read_bytes() == b"not to be touched"
    assert (tmp_path / "link").is_symlink()


def test_a_sweep_removes_what_is_old_and_not_to_be_kept(play: Play):
    async def story(blobs: Blobs) -> None:
        kept, removed = [(await blobs.put(chunks(text))).sha256 for text in (b"kept", b"removed")]
        assert await blobs.sweep({kept}, older_than_s=3600) == 0
        assert await blobs.sweep({kept, NOBODY}, older_than_s=-1) == 1
        assert await blobs.missing({kept, removed}) == {removed}
        assert await blobs.sweep({kept}, older_than_s=-1) == 0

    play(story)
