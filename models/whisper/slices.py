"""What the model wrote for a window, cut into pieces at the times that it wrote among the words.

Called by the transcript. Two times side by side are the end of one piece and the beginning of the next.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

FRAMES_PER_TIME = 2
"""Times are told in fiftieths of a second, frames are hundredths."""


class Slice(NamedTuple):
    """A piece, with its times in frames from the beginning of the window."""

    start: int
    end: int
    tokens: list[int]


def cut(tokens: Sequence[int], length: int, first_timestamp: int) -> tuple[list[Slice], int]:
    """The whole pieces, and how many frames on the next window begins; ``length`` frames have sound."""
    written = list(tokens)
    is_time = [token >= first_timestamp for token in written]
    borders = [place + 1 for place, pair in enumerate(pairwise(is_time)) if all(pair)]
    if not borders:
        return [_alone(written, length, first_timestamp)], length
    # A single time at the end: nobody speaks after it, and the window is done.
    is_done = is_time[-2:] == [False, True]
    ends = [*borders, len(written)] if is_done else borders
    pieces = [
        Slice(_frame(piece[0], first_timestamp), _frame(piece[-1], first_timestamp), piece)
        for piece in (written[start:end] for start, end in pairwise([0, *ends]))
    ]
    # Else the words after the last pair are cut off in mid-sentence; the next window begins before them.
    goes_on = length if is_done else min(pieces[-1].end, length)
    return pieces, goes_on or length


def _alone(tokens: list[int], length: int, first_timestamp: int) -> Slice:
    """No border at all: one piece, from the time before it to the time after it, or to the window's end."""
    start = _frame(tokens[0], first_timestamp) if tokens and tokens[0] >= first_timestamp else 0
    end = _frame(tokens[-1], first_timestamp) if len(tokens) > 1 and tokens[-1] >= first_timestamp else length
    return Slice(start, end, tokens)


def _frame(token: int, first_timestamp: int) -> int:
    return (token - first_timestamp) * FRAMES_PER_TIME
