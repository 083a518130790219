"""What comes of several who ask for instances."""

from stoker.core.scales import Asked, price_micro_usd, resolve
from stoker.core.scaling import Scale

DEFAULT = Scale(least=0, most=4, idle_s=60)


def test_the_closest_says_it_each_for_itself():
    asked = [Asked(idle_s=5), Asked(idle_s=7, max_instances=2), Asked(max_instances=9)]
    assert resolve(asked, DEFAULT) == Scale(least=0, most=2, idle_s=5)
    assert resolve([Asked()], DEFAULT) == DEFAULT


def test_the_least_is_never_more_than_the_most_but_what_is_warm_stays():
    assert resolve([Asked(min_instances=3), Asked(max_instances=1)], DEFAULT) == Scale(least=1, most=1)
    assert resolve([Asked(max_instances=1)], DEFAULT, warm=2) == Scale(least=2, most=2)


def test_what_it_costs():
    assert price_micro_usd(50, 2, 225) == 81_000_000
