"""Which files of a project are pushed."""

import hashlib
import os
from pathlib import Path

import click
import pytest

from stoker.cli.pushing import source


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write(folder, "cog.yaml", "predict: predict.py:Predictor\n")
    write(folder, "predict.py", "class Predictor: ...\n")
    return folder


def write(root: Path, path: str, text: str = "x") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def paths(root: Path) -> list[str]:
    return [found.path for found in source.list_files(root).files]


def test_everything_in_order_with_hidden_files_too(project: Path) -> None:
    write(project, "weights/big.bin")
    write(project, ".env.example")
    assert paths(project) == [".env.example", "cog.yaml", "predict.py", "weights/big.bin"]


def test_ignore_files_are_respected(project: Path) -> None:
    for path in ("a.log", "sub/b.log", "sub/keep.log", "data/x/y.bin", "notes.md"):
        write(project, path)
    write(project, ".dockerignore", "# comment\n**/*.log\n!sub/keep.log\ndata\n")
    write(project, ".cogignore", "*.md\n")
    assert paths(project) == [".cogignore", ".dockerignore", "cog.yaml", "predict.py", "sub/keep.log"]


def test_what_changes_by_itself_is_left_out(project: Path) -> None:
    for path in (
        ".git/HEAD",
        ".cog/openapi_schema.json",
        "__pycache__/predict.cpython-311.pyc",
        "lib/__pycache__/a.pyc",
    ):
        write(project, path)
    assert paths(project) == ["cog.yaml", "predict.py"]


def test_an_ignore_file_can_bring_it_back(project: Path) -> None:
    write(project, ".git/HEAD")
    write(project, ".dockerignore", "!.git\n")
    assert ".git/HEAD" in paths(project)


def test_a_virtual_environment_is_left_out_and_said_so(project: Path) -> None:
    write(project, "venv/pyvenv.cfg")
    (project / "venv" / "python").symlink_to("/usr/bin/env")
    listing = source.list_files(project)
    assert [found.path for found in listing.files] == ["cog.yaml", "predict.py"]
    assert listing.warnings == ["venv is left out: it is a virtual environment."]


def test_links_inside_are_followed(project: Path) -> None:
    write(project, "shared/words.txt", "words")
    (project / "words.txt").symlink_to("shared/words.txt")
    (project / "again").symlink_to("shared", target_is_directory=True)
    assert paths(project) == ["again/words.txt", "cog.yaml", "predict.py", "shared/words.txt", "words.txt"]
    found = {file.path: file for file in source.list_files(project).files}
    assert found["words.txt"].local.read_text() == "words"


def test_links_that_escape_are_named(project: Path, tmp_path: Path) -> None:
    write(tmp_path, "secret.txt")
    (project / "one").symlink_to("../secret.txt")
    (project / "two").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(click.ClickException) as caught:
        source.list_files(project)
    assert "one -> ../secret.txt" in caught.value.message
    assert f"two -> {tmp_path}" in caught.value.message


def test_an_ignored_link_may_lead_anywhere(project: Path) -> None:
    (project / "one").symlink_to("/etc/hostname")
    (project / "two").symlink_to("/etc", target_is_directory=True)
    write(project, ".dockerignore", "one\ntwo\n!never\n")
    assert paths(project) == [".dockerignore", "cog.yaml", "predict.py"]


def test_links_to_nothing_and_in_circles_are_left_out_with_a_warning(project: Path) -> None:
    (project / "gone").symlink_to("nowhere")
    (project / "loop").symlink_to("loop")
    write(project, "sub/a.txt")
    (project / "sub" / "up").symlink_to("..", target_is_directory=True)
    listing = source.list_files(project)
    assert [found.path for found in listing.files] == ["cog.yaml", "predict.py", "sub/a.txt"]
    assert sorted(listing.warnings) == [
        "gone is left out: it is a link to nothing.",
        "loop is left out: it is a link to nothing.",
        "sub/up is left out: it leads back to a folder that it is in.",
    ]


def test_what_is_no_file_is_left_out_with_a_warning(project: Path) -> None:
    os.mkfifo(project / "pipe")
    assert source.list_files(project).warnings == ["pipe is left out: it is neither a file nor a folder."]


def test_a_project_reached_through_a_link(project: Path, tmp_path: Path) -> None:
    (project / "same.py").symlink_to("predict.py")
    (tmp_path / "link").symlink_to(project, target_is_directory=True)
    assert paths(tmp_path / "link") == ["cog.yaml", "predict.py", "same.py"]


def test_digests_sizes_and_the_executable_bit(project: Path) -> None:
    (project / "predict.py").chmod(0o755)
    seen: list[int] = []
    hashed = source.hash_files(source.list_files(project).files, seen.append)
    body = (project / "predict.py").read_bytes()
    assert hashed[1].wire() == {
        "path": "predict.py",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size_bytes": len(body),
        "executable": True,
    }
    assert hashed[0].wire()["executable"] is False
    assert sum(seen) == sum(item.file.size_bytes for item in hashed)


def test_the_folder_is_the_nearest_with_a_cog_yaml(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = project / "deep" / "down"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert source.project_folder(None) == project


def test_a_named_folder_needs_its_own_cog_yaml(project: Path) -> None:
    (project / "deep").mkdir()
    with pytest.raises(click.ClickException, match=r"no cog\.yaml in"):
        source.project_folder(str(project / "deep"))
    with pytest.raises(click.ClickException, match="not a folder"):
        source.project_folder(str(project / "cog.yaml"))
