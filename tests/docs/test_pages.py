"""Links lead somewhere, and nothing in a page belongs to one person's machine."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import LINK, ROOT, anchors, named, pages

PRIVATE = re.compile(r"(?<![\w.])/(?:root|home|Users|mnt)/\w+")
ADDRESS = re.compile(r"https?://|\"resolved\"")


@pytest.mark.parametrize("page", pages(), ids=named)
def test_links_resolve(page: Path):
    for target in LINK.findall(page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(found), f"{target}: there is no such heading"


@pytest.mark.parametrize("page", pages(), ids=named)
def test_a_page_is_not_of_one_machine(page: Path):
    assert not PRIVATE.findall(page.read_text())


@pytest.mark.parametrize("lock", ["requirements*.lock", "tests/**/package-lock.json"])
def test_lock_files_have_hashes_and_no_addresses(lock: str):
    files = [file for file in ROOT.glob(lock) if "node_modules" not in file.parts]
    assert files
    for file in files:
        text = file.read_text()
        assert not ADDRESS.findall(re.sub(r'"url": ".*"', "", text)), file.name
        assert "sha256:" in text or '"integrity": "sha512-' in text, file.name


def test_every_architecture_page_and_decision_is_in_its_index():
    for folder in ("docs/architecture", "docs/adr"):
        index = (ROOT / folder / "README.md").read_text()
        for page in (ROOT / folder).glob("*.md"):
            assert page.name == "README.md" or f"({page.name})" in index, (
                f"{folder}: {page.name} is not listed"
            )


def test_make_targets_that_pages_name_exist():
    listed = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = set(re.findall(r"make (\w[\w-]*)", listed))
    for page in pages():
        used = re.findall(r"(?:^    |`)make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
        assert set(used) <= targets, named(page)
