"""What a catalogue's files may say, and that ours ships."""

import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest

from stoker.cli.cataloguing.entries import SHIPPED, find_entry, read_entries

ROOT = Path(__file__).parents[2]
GOOD = 'title = "T"\nnames = ["acme/one", "acme/two"]\ndescription = "D"\n'
PUBLISHED = f'[[stands_in_for]]\nid = "{"f" * 64}"\nnames = ["old/two", "acme/two"]\n'


def write(folder: Path, text: str) -> Path:
    (folder / "model").mkdir()
    (folder / "model" / "catalog.toml").write_text(text)
    return folder


def test_a_published_name_leads_to_the_model_that_stands_in_for_it(tmp_path: Path) -> None:
    entries = read_entries(write(tmp_path, GOOD + PUBLISHED))
    entry, name = find_entry(entries, "old/two")
    assert (entry.folder, name) == (tmp_path / "model", "acme/two")
    assert [one.id for one in entry.published("acme/two")] == ["f" * 64]
    assert entry.published("acme/one") == []
    assert find_entry(entries, "acme/one") == (entry, "acme/one")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title =", "cannot be used"),
        ('title = "T"', "missing required field `names`"),
        (GOOD + 'colour = "red"\n', "unknown field `colour`"),
        (GOOD + '[hub]\n"acme/three" = "a/b"\n', "acme/three is not in names"),
        (GOOD.replace('["acme/one", "acme/two"]', "[]"), "it is not in names"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(click.ClickException) as raised:
        read_entries(write(tmp_path, text))
    assert words in raised.value.message
    assert str(tmp_path / "model" / "catalog.toml") in raised.value.message


def test_a_folder_without_models(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match=r"There is no catalog\.toml in any folder"):
        read_entries(tmp_path)
    with pytest.raises(click.ClickException, match="There is no folder"):
        read_entries(tmp_path / "nowhere")


def test_what_ships_is_in_the_wheel_as_it_is_in_the_checkout(tmp_path: Path) -> None:
    assert SHIPPED.resolve() == ROOT / "models"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        shipped = {name for name in opened.namelist() if name.startswith("stoker/models/")}
    files = (file for file in (ROOT / "models").rglob("*") if file.is_file())
    here = {file.relative_to(ROOT).as_posix() for file in files if "__pycache__" not in file.parts}
    assert shipped == {f"stoker/{name}" for name in here if not name.startswith("models/tiny/")}
