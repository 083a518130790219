"""The project's pages, and what is in them. Used by the tests in this folder."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def pages() -> list[Path]:
    """Every Markdown page that people read."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[str]:
    """The indented blocks of a page, without their indentation."""
    found: list[list[str]] = []
    inside = False
    for line in page.read_text().splitlines():
        if line.startswith("    "):
            if not inside:
                found.append([])
            inside = True
            found[-1].append(line[4:])
        elif line.strip():
            inside = False
        elif inside:
            found[-1].append("")
    return ["\n".join(lines).rstrip("\n") + "\n" for lines in found]


def commands(page: Path, program: str) -> list[str]:
    """The command lines of a page that call the program."""
    lines = (line for block in blocks(page) for line in block.splitlines())
    return [line.split("   #")[0].strip() for line in lines if line.startswith(f"{program} ")]


def anchors(page: Path) -> set[str]:
    """What a link to a part of the page may say after ``#``."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in HEADING.findall(page.read_text())
    }
