"""Which files of a project stay at home: the rules of ``.dockerignore``, also used for ``.cogignore``.

Used by the command line when it collects a project. Pure: the caller reads the files and walks the folder.

The rules are Docker's: patterns are relative to the project, ``*`` and ``?`` stay within one part of a path,
``**`` spans parts, ``!`` takes back, a match on a folder covers what is in it, the last match wins. Two
things are fixed: ``.cog`` is never part of a project, and ``cog.yaml`` always is.
"""

import posixpath
import re

from stoker.core.errors import Invalid

IGNORE_FILES = (".dockerignore", ".cogignore")
"""Read in this order, as if the second were appended to the first."""

CONFIG_FILE = "cog.yaml"
OWN_FOLDER = ".cog"


class Ignore:
    """The patterns of a project; paths are relative to it with ``/`` between the parts."""

    def __init__(self, patterns: list[tuple[re.Pattern[str], bool]]):
        self._patterns = patterns
        self._takes_back = any(not excludes for _, excludes in patterns)

    def excludes(self, path: str) -> bool:
        """Whether the file or folder stays at home."""
        if path == CONFIG_FILE:
            return False
        if path == OWN_FOLDER or path.startswith(OWN_FOLDER + "/"):
            return True
        excluded = False
        for pattern, excludes in self._patterns:
            if excluded != excludes and pattern.fullmatch(path):
                excluded = excludes
        return excluded

    def prunes(self, folder: str) -> bool:
        """Whether nothing below the folder can be part of the project, so that it need not be walked."""
        if folder == OWN_FOLDER:
            return True
        return not self._takes_back and self.excludes(folder)


def parse_ignore(*texts: str) -> Ignore:
    """The matcher for the texts of the ignore files, in order. Raises ``Invalid`` for a broken pattern."""
    patterns: list[tuple[re.Pattern[str], bool]] = []
    for text in texts:
        for line in text.removeprefix("\ufeff").splitlines():
            pattern = "" if line.startswith("#") else line.strip()
            excludes = not pattern.startswith("!")
            if cleaned := _clean(pattern.removeprefix("!").strip()):
                patterns.append((_compile(cleaned), excludes))
    return Ignore(patterns)


def _clean(pattern: str) -> str:
    if not pattern:
        return ""
    return posixpath.normpath(pattern).lstrip("/")


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(f"(?:{_regex(pattern)})(?:/.*)?", re.DOTALL)
    except re.error as error:
        raise Invalid(f"The ignore pattern {pattern!r} cannot be read: {error}.") from None


def _regex(pattern: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "*" and pattern[at : at + 1] == "*":
            at += 2 if pattern[at + 1 : at + 2] == "/" else 1
            out.append(".*" if at >= len(pattern) else "(?:.*/)?")
        elif letter == "*":
            out.append("[^/]*")
        elif letter == "?":
            out.append("[^/]")
        elif letter == "\\" and at < len(pattern):
            out.append(re.escape(pattern[at]))
            at += 1
        elif letter in "[]":
            out.append(letter)
        else:
            out.append(letter if letter in "^-" else re.escape(letter))
    return "".join(out)
