"""Secrets in what a model prints: they go, in however many pieces they come, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.redaction import REDACTED, Redaction


def shown(redaction: Redaction, *pieces: str) -> list[str]:
    return [*map(redaction.piece, pieces), redaction.rest()]


def test_what_may_go_on_to_be_a_secret_waits() -> None:
    redaction = Redaction({"key": "hush-1234"})
    assert shown(redaction, "a hu", "sh-12", "34 b", "hush", "ed") == [
        "a ", "", f"{REDACTED} b", "", "hushed", "",
    ]  # fmt: skip
    assert shown(redaction, "it ends with hush-123") == ["it ends with ", "hush-123"]


@pytest.mark.parametrize(
    ("secrets", "text", "expected"),
    [
        ({"key": "abab"}, "ababab", f"{REDACTED}ab"),
        ({"a": "abcd", "b": "abcdef"}, "abcdef abcd", f"{REDACTED} {REDACTED}"),
        ({"keys": ["first", "second"], "none": None}, "first, second", f"{REDACTED}, {REDACTED}"),
        ({"key": "a.c*"}, "abcc a.c*", f"abcc {REDACTED}"),
        ({"key": "two\nlines"}, "two\nlines\n", f"{REDACTED}\n"),
        ({"key": "abc"}, "abc", "abc"),
        ({"key": ""}, "text", "text"),
    ],
)
def test_values(secrets: dict[str, object], text: str, expected: str) -> None:
    assert Redaction(secrets).whole(text) == expected
    assert "".join(shown(Redaction(secrets), *text)) == expected


@given(
    values=st.lists(st.text("ab", min_size=4, max_size=8), min_size=1, max_size=3),
    pieces=st.lists(st.one_of(st.text("abc", max_size=6), st.sampled_from(["abab", "aabb"])), max_size=12),
)
def test_no_secret_passes_in_any_pieces(values: list[str], pieces: list[str]) -> None:
    redaction = Redaction({"keys": values})
    text = "".join(shown(redaction, *pieces))
    assert not any(value in text for value in values)
    for value in values:
        if value not in "".join(pieces):
            continue
        assert REDACTED in text
