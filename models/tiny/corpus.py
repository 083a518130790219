"""Text that a machine has anyway: for tokenizers, and for a small language model to learn from."""

import gzip
import inspect
import pydoc_data.topics
import re
import sys
from collections.abc import Iterator
from pathlib import Path

MANUALS = (Path("/usr/share/man/man1"), Path("/usr/share/man/man5"), Path("/usr/share/man/man7"))
DOCS = Path("/usr/share/doc")
_MARKUP = re.compile(r'\\f[BIRP]|^\.\\".*$|^\.[A-Za-z]+ ?|\\[&|]', re.MULTILINE)


def standard_library(most: int = 60) -> Iterator[str]:
    """Sources of the standard library, the same on each machine with this Python; enough for a tokenizer."""
    folder = Path(inspect.getfile(inspect)).parent
    for path in sorted(folder.glob("*.py"))[:most]:
        yield path.read_text(encoding="utf-8", errors="replace")


def everything() -> dict[str, list[str]]:
    """All the prose that is found, by where it was found."""
    found = {
        "Python's help topics": list(pydoc_data.topics.topics.values()),
        "docstrings of the standard library": list(_docstrings()),
        "manual pages": [_MARKUP.sub("", text) for folder in MANUALS for text in _files(folder)],
        "/usr/share/doc": list(_files(DOCS)),
    }
    return {where: texts for where, texts in found.items() if texts}


def _docstrings() -> Iterator[str]:
    folder = Path(inspect.getfile(inspect)).parent
    for path in sorted(folder.glob("**/*.py")):
        if (
            "site-packages" not in path.parts
            and "test" not in path.parts
            and path.stem in sys.stdlib_module_names
        ):
            for found in re.findall(r'"""(.+?)"""', path.read_text(errors="replace"), re.DOTALL):
                yield inspect.cleandoc(found)


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("**/*")):
        if not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        elif path.suffix not in ("", ".txt", ".md", ".1", ".5", ".7"):
            continue
        if b"\0" not in data:
            yield data.decode("utf-8", errors="ignore")
