"""Views of folders: they look the same, and what is written to them stays in them."""

from pathlib import Path

import pytest

from stoker.host.views import COPIED_BYTES, view


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "cache" / "blobs").mkdir(parents=True)
    (folder / "small.txt").write_text("small")
    (folder / "small.txt").chmod(0o444)
    (folder / "tool.sh").write_text("#!/bin/sh")
    (folder / "tool.sh").chmod(0o555)
    (folder / "cache" / "blobs" / "large.bin").write_bytes(b"x" * (COPIED_BYTES + 1))
    return folder


def test_small_files_are_copies_that_may_be_written_to(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    view(source, target)
    assert (target / "small.txt").stat().st_mode & 0o777 == 0o644
    assert (target / "tool.sh").stat().st_mode & 0o777 == 0o755
    (target / "small.txt").write_text("other")
    (target / "cache" / "new.txt").write_text("new")
    assert (source / "small.txt").read_text() == "small"
    assert not (source / "cache" / "new.txt").exists()


def test_large_files_are_links(source: Path, tmp_path: Path) -> None:
    view(source, tmp_path / "target")
    large = tmp_path / "target" / "cache" / "blobs" / "large.bin"
    assert large.readlink() == source / "cache" / "blobs" / "large.bin"
    large.unlink()
    assert (source / "cache" / "blobs" / "large.bin").exists()


def test_links_stay_in_the_view(source: Path, tmp_path: Path) -> None:
    """As caches have them: names that point to contents, folders that point to folders."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (source / "cache" / "name.bin").symlink_to("blobs/large.bin")
    (source / "latest").symlink_to(source / "cache")
    (source / "elsewhere").symlink_to("../outside")
    (source / "nowhere").symlink_to("gone")
    target = tmp_path / "target"
    view(source, target)
    assert (target / "cache" / "name.bin").readlink() == target / "cache" / "blobs" / "large.bin"
    assert (target / "latest").resolve() == target / "cache"
    assert (target / "elsewhere").resolve() == outside
    assert not (target / "nowhere").exists()
    (target / "latest" / "new.txt").write_text("new")
    assert not (source / "cache" / "new.txt").exists()


def test_the_target_may_be_there(source: Path, tmp_path: Path) -> None:
    view(source, tmp_path / "target")
    empty = tmp_path / "empty"
    empty.mkdir()
    view(empty, tmp_path / "target")
    assert (tmp_path / "target" / "small.txt").exists()
