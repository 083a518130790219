"""Text out of tokens, piece by piece: whole characters only, and never a part of a stop sequence.

``answer`` has one ``Detokenizer`` and one ``Stops`` a prediction. Neither looks at more than the last few
tokens, so a long answer costs no more a token than a short one.
"""

from collections.abc import Callable, Sequence

REPLACEMENT = "\ufffd"
_LONGEST_CHARACTER_BYTES = 4
_MOST_WAIT = 2 * _LONGEST_CHARACTER_BYTES - 1
"""Some decoders spoil the character before as well, until the last is whole."""

Decode = Callable[[list[int]], str]


class Detokenizer:
    """Gives the text that is settled; bytes that may yet become a character wait for the rest of it.

    Tokens are read behind those that were given last, since how a word begins depends on what was before
    it. Those begin where a character does: some decoders make nothing of bytes that follow half a
    character.
    """

    def __init__(self, decode: Decode):
        self._decode = decode
        self._behind: list[int] = []
        self._waiting: list[int] = []
        self._given = 0
        """How many characters of the text of both were given."""

    def push(self, tokens: Sequence[int]) -> str:
        """The new text."""
        # One by one, so that no more than one character ever waits for its bytes.
        return "".join([self._push(token) for token in tokens])

    def _push(self, token: int) -> str:
        self._waiting.append(token)
        text = self._decode(self._behind + self._waiting)
        settled = len(text) - _unsettled(text)
        new = text[self._given : settled]
        self._given = max(self._given, settled)
        if new and settled == len(text):
            self._behind, self._waiting = self._waiting, []
            self._given = len(self._decode(self._behind))
        return new


class Stops:
    """Cuts a text at the first stop sequence, also where one comes in several pieces."""

    def __init__(self, sequences: Sequence[str]):
        self._sequences = [sequence for sequence in sequences if sequence]
        self._held = ""
        self.reached = False

    def push(self, text: str) -> str:
        """What may be shown; what could be the beginning of a stop sequence is kept back."""
        text = self._held + text
        found = [place for place in (text.find(sequence) for sequence in self._sequences) if place >= 0]
        if found:
            self.reached, self._held = True, ""
            return text[: min(found)]
        keep = max((_overlap(text, sequence) for sequence in self._sequences), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was kept back, when the text is over and no stop sequence came of it."""
        held, self._held = self._held, ""
        return held


def _unsettled(text: str) -> int:
    """How many characters at the end stand for bytes whose character may not be complete."""
    row = len(text) - len(text.rstrip(REPLACEMENT))
    return row if row <= _MOST_WAIT else _LONGEST_CHARACTER_BYTES - 1


def _overlap(text: str, sequence: str) -> int:
    """The longest end of the text that the sequence begins with."""
    longest = min(len(text), len(sequence) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(sequence[:size])), 0)
