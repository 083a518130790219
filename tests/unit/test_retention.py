"""How long data is kept: an account's own time, else the server's."""

import math

import pytest

from stoker.core.retention import FOR_EVER_US, cutoff_us, cutoffs_us, expiry_us

NOW_US = 1_780_000_000_000_000


@pytest.mark.parametrize(
    ("own", "default", "cutoff"),
    [
        (None, 3600.0, NOW_US - 3_600_000_000),
        (60.0, 3600.0, NOW_US - 60_000_000),
        (0.0, 3600.0, NOW_US),
        (math.inf, 3600.0, None),
        (None, math.inf, None),
        (1.5, math.inf, NOW_US - 1_500_000),
    ],
)
def test_cutoff(own: float | None, default: float, cutoff: int | None):
    assert cutoff_us(own, default, NOW_US) == cutoff


def test_accounts_that_keep_for_ever_have_no_cutoff():
    given = {"ann": None, "bob": math.inf, "carol": 0.0}
    assert cutoffs_us(given, 1.0, NOW_US) == {"ann": NOW_US - 1_000_000, "carol": NOW_US}


def test_expiry():
    assert expiry_us(2.0, NOW_US) == NOW_US + 2_000_000
    assert expiry_us(math.inf, NOW_US) == FOR_EVER_US
    assert expiry_us(1e12, NOW_US) == FOR_EVER_US
