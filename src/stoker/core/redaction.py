"""Takes secrets out of what a model prints and of its error (section 10.1 of the HTTP contract). Pure.

Used by ``runtime.job`` with the secret inputs of one prediction, and for its word by the api. What a model
gives as its output stays as it is: that is for whoever called it.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

REDACTED = "[REDACTED]"
SHORTEST = 4
"""A shorter value is no secret, and letters of it are everywhere in a log."""


class Redaction:
    """Secrets as they stand, in a text that comes in pieces."""

    def __init__(self, secrets: Mapping[str, Any]):
        """``secrets`` are the hidden inputs by name: each a text, or a list of texts."""
        self._values = sorted(_texts(secrets), key=len, reverse=True)
        self._initials = {value[0] for value in self._values}
        self._pattern = re.compile("|".join(map(re.escape, self._values)) or r"(?!)")
        self._held = ""

    def whole(self, text: str) -> str:
        """The text without them."""
        return self._pattern.sub(REDACTED, text)

    def piece(self, text: str) -> str:
        """What can be shown by now: the beginning of a secret at the end waits for the next piece."""
        text = self._held + text
        end = self._begins(text)
        for found in self._pattern.finditer(text):
            if found.start() < end < found.end():
                end = found.end()
        self._held = text[end:]
        return self.whole(text[:end])

    def rest(self) -> str:
        """What was held back, now that no more comes."""
        rest, self._held = self._held, ""
        return self.whole(rest)

    def _begins(self, text: str) -> int:
        """From where on the text may be the beginning of a secret; its length where it is none."""
        longest = len(self._values[0]) if self._values else 0
        for start in range(max(0, len(text) - longest + 1), len(text)):
            if text[start] not in self._initials:
                continue
            tail = text[start:]
            if any(len(value) > len(tail) and value.startswith(tail) for value in self._values):
                return start
        return len(text)


def _texts(secrets: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for value in secrets.values():
        items = cast(list[Any], value) if isinstance(value, list) else [value]
        found |= {item for item in items if isinstance(item, str) and len(item) >= SHORTEST}
    return found
