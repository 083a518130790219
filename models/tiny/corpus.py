"""Text that a machine has anyway: for tokenizers, and for a small language model to learn from."""

import gzip
import inspect
import pydoc_data.topics
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

MANUALS = (Path("/usr/share/man/man1"), Path("/usr/share/man/man5"), Path("/usr/share/man/man7"))
DOCS = Path("/usr/share/doc")
MOST_CHARACTERS = 6_000_000
"""Of each source."""
COMMON_WORDS = 3000
"""What a small model can learn to spell within minutes; sentences with others are left out."""
_MARKUP = re.compile(r'\\f(?:\[\w*\]|\(..|.)|^\.\\".*$|^\.[A-Za-z]+ ?|\\[&|]', re.MULTILINE)
_SENTENCE = re.compile(r"[A-Z][A-Za-z0-9 ,;:'\"()/.!?-]+[.!?]")
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_KNOWN = re.compile(r"[a-z']+")
_WORD = re.compile(r"[(\"']?[A-Za-z][a-z]*(?:['-][a-z]+)*[\"')]?[,.;:!?]?[\"')]?")
_FEWEST_WORDS = 6
_PLAIN_SHARE = 0.9


def standard_library(most: int = 60) -> Iterator[str]:
    """Sources of the standard library, the same on each machine with this Python; enough for a tokenizer."""
    folder = Path(inspect.getfile(inspect)).parent
    for path in sorted(folder.glob("*.py"))[:most]:
        yield path.read_text(encoding="utf-8", errors="replace")


def prose(*, seed: int) -> dict[str, list[str]]:
    """Whole English sentences of common words, one or more in a row, by where they were found."""
    chance = random.Random(seed)
    sources: dict[str, Iterable[str]] = {
        "Python's help topics": pydoc_data.topics.topics.values(),
        "docstrings of the standard library": _docstrings(),
        "manual pages": (_plain(text) for text in _files(MANUALS, chance)),
        "/usr/share/doc": _files([DOCS], chance),
    }
    known: set[str] = set()
    found = {where: list(_some(texts, known)) for where, texts in sources.items()}
    common = _common(paragraph for paragraphs in found.values() for paragraph in paragraphs)
    return {
        where: list(dict.fromkeys(row for paragraph in paragraphs for row in rows(paragraph, common)))
        for where, paragraphs in found.items()
    }


def _common(paragraphs: Iterable[str]) -> frozenset[str]:
    """The words that most paragraphs have."""
    counts = Counter(word for paragraph in paragraphs for word in set(_KNOWN.findall(paragraph.lower())))
    return frozenset(word for word, _ in counts.most_common(COMMON_WORDS))


def rows(paragraph: str, common: frozenset[str]) -> Iterator[str]:
    """Its sentences that have only such words, those that follow each other together."""
    row: list[str] = []
    for sentence in _SENTENCE_END.split(paragraph):
        if _SENTENCE.fullmatch(sentence) and common.issuperset(_KNOWN.findall(sentence.lower())):
            row.append(sentence)
        elif row:
            yield " ".join(row)
            row = []
    if row:
        yield " ".join(row)


def _some(texts: Iterable[str], known: set[str]) -> Iterator[str]:
    """The paragraphs that are new, as many as are wanted of one source."""
    left = MOST_CHARACTERS
    for paragraph in chain.from_iterable(map(_paragraphs, texts)):
        if left <= 0:
            return
        if paragraph not in known:
            known.add(paragraph)
            left -= len(paragraph)
            yield paragraph


def _paragraphs(text: str) -> Iterator[str]:
    """Those that begin and end as sentences do and are words almost throughout: no tables, code or lists."""
    for paragraph in re.split(r"\n\s*\n", text):
        words = paragraph.split()
        if len(words) < _FEWEST_WORDS or not words[0][0].isupper() or words[-1][-1] not in ".!?":
            continue
        plain = sum(_WORD.fullmatch(word) is not None for word in words)
        if plain >= _PLAIN_SHARE * len(words):
            yield " ".join(words)


def _plain(manual: str) -> str:
    return _MARKUP.sub("", manual).replace("\\-", "-")


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


def _files(folders: Iterable[Path], chance: random.Random) -> Iterator[str]:
    """Text files in any order, so that those of one program are not all that is read."""
    paths = sorted(path for folder in folders for path in folder.glob("**/*"))
    chance.shuffle(paths)
    for path in paths:
        if not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        elif path.suffix not in ("", ".txt", ".md", ".1", ".5", ".7"):
            continue
        if b"\0" not in data:
            yield data.decode("utf-8", errors="ignore")
