"""What makes a release, which numbers of instances are fine, and who may be deleted when."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.deployments import (
    Change,
    Deployment,
    Release,
    check_takes_predictions,
    next_release,
    scale_problems,
    unused_since_us,
)
from stoker.core.errors import Conflict
from stoker.core.scaling import Pool

FIRST = Release(
    number=1,
    model="ann/model",
    version="a" * 64,
    hardware="cpu",
    min_instances=0,
    max_instances=2,
    created_us=5,
    created_by="ann",
)
DISABLED = msgspec.structs.replace(FIRST, max_instances=0)


def deployment(release: Release = FIRST) -> Deployment:
    return Deployment(owner="ann", name="app", created_us=5, release=release)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "ann/new"},
        {"version": "b" * 64},
        {"hardware": "gpu"},
        {"min_instances": 1},
        {"max_instances": 0},
    ],
)
def test_each_difference_makes_the_next_release(change: dict[str, object]):
    made = next_release(FIRST, Change(**change), by="bob", now_us=9)  # type: ignore[arg-type]
    assert made == msgspec.structs.replace(FIRST, number=2, created_us=9, created_by="bob", **change)


def test_no_difference_makes_none():
    same = Change(**{name: getattr(FIRST, name) for name in Change.__struct_fields__})
    assert next_release(FIRST, Change(), by="bob", now_us=9) is None
    assert next_release(FIRST, same, by="bob", now_us=9) is None


@given(st.integers(-3, 25), st.integers(-3, 25))
def test_numbers_of_instances(least: int, most: int):
    fine = 0 <= least <= 5 and 0 <= most <= 20 and least <= most
    assert (scale_problems(least, most) == []) == fine


def test_a_disabled_deployment_takes_nothing():
    check_takes_predictions(deployment())
    with pytest.raises(Conflict, match="ann/app is disabled"):
        check_takes_predictions(deployment(DISABLED))


def test_one_that_is_online_must_be_unused_for_15_minutes_to_go():
    assert unused_since_us(FIRST, 1_000_000_000) == 100_000_000
    assert unused_since_us(DISABLED, 1_000_000_000) is None


def test_a_release_has_instances_of_its_own_unless_only_their_number_changed():
    before = deployment().pool
    assert before == Pool("a" * 64, "ann/app", "cpu")
    assert before != Pool("a" * 64)
    assert deployment(msgspec.structs.replace(FIRST, number=2, max_instances=9)).pool == before
    assert deployment(msgspec.structs.replace(FIRST, hardware="gpu")).pool != before
    assert deployment(msgspec.structs.replace(FIRST, version="b" * 64)).pool != before
