import os
import re

from hypothesis import given
from hypothesis import strategies as st

from stoker.core import ids


@given(st.integers(min_value=0, max_value=2**48 * 1000 - 1), st.binary(min_size=10, max_size=10))
def test_a_prediction_id_is_26_crockford_characters_whose_last_carries_three_bits(now_us: int, random: bytes):
    id = ids.prediction_id(now_us, random)
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{26}", id)
    assert "0123456789abcdefghjkmnpqrstvwxyz".index(id[-1]) % 4 == 0


def test_prediction_ids_sort_by_time():
    times = [1_700_000_000_000_000 + step * 1000 for step in range(100)]
    made = [ids.prediction_id(time, os.urandom(10)) for time in times]
    assert made == sorted(made)


def test_a_token_is_r8_and_37_letters_or_digits():
    assert re.fullmatch(r"r8_[A-Za-z0-9]{37}", ids.api_token(os.urandom(37)))


def test_a_webhook_secret_has_exactly_one_underscore():
    """Gotcha 31: Python 1 and Go split it there."""
    for _ in range(200):
        assert ids.webhook_secret(os.urandom(24)).count("_") == 1


def test_version_ids_are_64_lower_case_hex_digits():
    assert ids.is_version_id("0123456789abcdef" * 4)
    assert not ids.is_version_id("0123456789ABCDEF" * 4)
    assert not ids.is_version_id("0123456789abcdef")
