"""What is kept of long logs."""

import pytest

from stoker.core.logs import BEGINNING_CUT, LOG_CUT, Log, last_of


def test_a_log_keeps_its_beginning_and_says_once_that_there_was_more():
    log = Log(10)
    for text in ("four", "föür", "five", "six"):
        log.add(text)
    assert log.text == "fourföür" + LOG_CUT


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("one\ntwo\n", "one\ntwo\n"),
        ("zero\none\ntwo\n", BEGINNING_CUT + "one\ntwo\n"),
        ("one line without end", BEGINNING_CUT + "ithout end"),
        ("üüüüüüü", BEGINNING_CUT + "üüüüü"),
        ("üüüüü!!", BEGINNING_CUT + "üüüü!!"),
    ],
)
def test_the_last_of_a_log_is_whole_lines_and_whole_characters(text: str, told: str):
    assert last_of(text, 10) == told
