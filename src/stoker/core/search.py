"""What somebody looks for, as words. Used by the api; the store matches them."""

import re

MOST_WORDS = 16
"""Nobody means more; each costs a look-up."""

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """The words of a search text: letters and digits, without case, each once; the rest separates them."""
    found = dict.fromkeys(_WORD.findall(text.lower()))
    return tuple(found)[:MOST_WORDS]


def has_all(wanted: tuple[str, ...], *texts: str) -> bool:
    """Whether every word is somewhere in the texts."""
    text = " ".join(texts).lower()
    return all(word in text for word in wanted)
