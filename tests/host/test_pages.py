"""Reading files ahead: which, and how much."""

import os
import shutil
from pathlib import Path

import pytest

from stoker.host import pages

MIB = 1 << 20


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What the kernel was asked to have in memory: name, start, length."""
    heard: list[tuple[str, int, int]] = []

    def advise(descriptor: int, start: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_WILLNEED
        heard.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, start, length))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    return heard


def make(file: Path, size_bytes: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        opened.truncate(size_bytes)
    return file


def test_a_folder_that_goes_is_left_out(tmp_path: Path, asked: list[tuple[str, int, int]]) -> None:
    make(tmp_path / "a" / "a", 2 * MIB)
    make(tmp_path / "b" / "b", MIB)
    real = os.scandir
    with pytest.MonkeyPatch.context() as patch:

        def scan(path: str) -> object:
            if Path(path).name == "b":
                patch.undo()
                shutil.rmtree(path)
            return real(path)

        patch.setattr(os, "scandir", scan)
        assert pages.read_ahead([tmp_path], most_bytes=100 * MIB) == 2 * MIB


def test_large_files_are_asked_for_largest_first(tmp_path: Path, asked: list[tuple[str, int, int]]) -> None:
    make(tmp_path / "folder" / "deep" / "b", 2 * MIB)
    make(tmp_path / "folder" / "small", MIB - 1)
    alone = make(tmp_path / "a", 65 * MIB)
    assert pages.read_ahead([tmp_path / "folder", alone], most_bytes=100 * MIB) == 67 * MIB
    assert asked == [("a", 0, 64 * MIB), ("a", 64 * MIB, 64 * MIB), ("b", 0, 64 * MIB)]


def test_never_more_than_there_is_room_for(tmp_path: Path, asked: list[tuple[str, int, int]]) -> None:
    for name, size in (("a", 3), ("b", 2), ("c", 1)):
        make(tmp_path / name, size * MIB)
    assert pages.read_ahead([tmp_path], most_bytes=4 * MIB) == 4 * MIB
    assert [name for name, _, _ in asked] == ["a", "c"]


def test_a_file_is_asked_for_once(tmp_path: Path, asked: list[tuple[str, int, int]]) -> None:
    file = make(tmp_path / "a", MIB)
    (tmp_path / "again").symlink_to(file)
    assert pages.read_ahead([tmp_path, file], most_bytes=10 * MIB) == MIB


def test_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    assert pages.read_ahead([tmp_path, tmp_path / "missing"], most_bytes=MIB) == 0
