"""Tokens become text piece by piece: whole characters, and nothing of a stop sequence, however it is cut."""

import importlib.util
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.things import MODELS


def _load() -> ModuleType:
    """The module as the model has it; it needs nothing but Python."""
    spec = importlib.util.spec_from_file_location("llama_text", MODELS / "llama/text.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


text = _load()
REPLACEMENT = "\ufffd"


def byte_level(tokens: list[int]) -> str:
    """Each token is a byte, as in the vocabularies of Llama 3: wrong bytes become replacement characters."""
    return bytes(tokens).decode("utf-8", errors="replace")


def byte_fallback(tokens: list[int]) -> str:
    """As in Llama 2: what has no token of its own is bytes, and one wrong byte spoils its row."""
    rows = groupby(tokens, key=lambda token: token >= 0x80 or token == ord("\n"))
    return "".join(_row(bytes(row)) if is_bytes else bytes(row).decode() for is_bytes, row in rows)


def _row(row: bytes) -> str:
    try:
        return row.decode("utf-8")
    except UnicodeDecodeError:
        return REPLACEMENT * len(row)


def words(tokens: list[int]) -> str:
    """As in Llama 2: the blank before the first word is not shown."""
    return "".join(f" w{token}" for token in tokens).removeprefix(" ")


def cut(tokens: Sequence[int], at: list[int]) -> list[list[int]]:
    places = sorted({min(place, len(tokens)) for place in at} | {0, len(tokens)})
    return [list(tokens[begin:end]) for begin, end in pairwise(places)]


CUTS = st.lists(st.integers(0, 60), max_size=60)


TEXTS = st.text(
    st.characters(exclude_characters=REPLACEMENT, exclude_categories=["Cs"]) | st.sampled_from("\n🙂漢é")
)


@pytest.mark.parametrize("decode", [byte_level, byte_fallback])
@given(given_text=TEXTS, sizes=st.lists(st.integers(1, 5), max_size=80))
def test_characters_come_whole(decode: Callable[[list[int]], str], given_text: str, sizes: list[int]) -> None:
    detokenizer = text.Detokenizer(decode)
    tokens = list(given_text.encode())
    pieces = []
    for size in [*sizes, *[1] * len(tokens)]:
        pieces.append(detokenizer.push(tokens[:size]))
        tokens = tokens[size:]
    assert "".join(pieces) == given_text
    assert not any(REPLACEMENT in piece for piece in pieces)


@given(tokens=st.binary(max_size=40), at=CUTS)
def test_bytes_that_are_no_text_end_nothing(tokens: bytes, at: list[int]) -> None:
    detokenizer = text.Detokenizer(byte_level)
    made = "".join(detokenizer.push(part) for part in cut(tokens, at))
    whole = byte_level(list(tokens))
    assert whole.startswith(made)
    assert set(whole[len(made) :]) <= {REPLACEMENT}, "only bytes whose character may yet come are kept back"


@given(tokens=st.lists(st.integers(0, 9), max_size=30), at=CUTS)
def test_words_are_read_behind_those_before(tokens: list[int], at: list[int]) -> None:
    detokenizer = text.Detokenizer(words)
    assert "".join(detokenizer.push(part) for part in cut(tokens, at)) == words(tokens)


def test_a_long_answer_is_not_read_again_for_each_token() -> None:
    longest = 0

    def decode(tokens: list[int]) -> str:
        nonlocal longest
        longest = max(longest, len(tokens))
        return byte_level(tokens)

    detokenizer = text.Detokenizer(decode)
    for _ in range(500):
        detokenizer.push([65])
    assert longest == 2


@given(st.text("abc", max_size=30), st.lists(st.text("abc", max_size=4), max_size=3), CUTS)
def test_nothing_of_a_stop_sequence_is_shown(whole: str, sequences: list[str], at: list[int]) -> None:
    stops = text.Stops(sequences)
    places = sorted({min(place, len(whole)) for place in at} | {0, len(whole)})
    shown = ""
    for begin, end in pairwise(places):
        shown += stops.push(whole[begin:end])
        assert not any(sequence in shown for sequence in sequences if sequence)
        if stops.reached:
            break
    shown += "" if stops.reached else stops.rest()
    ends = [whole.find(sequence) for sequence in sequences if sequence and sequence in whole]
    assert stops.reached == bool(ends)
    # With several sequences, the one that is complete first ends the text, wherever another began.
    if not ends:
        assert shown == whole
    elif len([sequence for sequence in sequences if sequence]) == 1:
        assert shown == whole[: ends[0]]
    else:
        assert whole.startswith(shown)


def test_what_is_no_stop_sequence_after_all_comes_later() -> None:
    stops = text.Stops(["<end>"])
    assert [stops.push(part) for part in ("a<", "en", "x", "<e", "nd>b")] == ["a", "", "<enx", "", ""]
    assert stops.reached
