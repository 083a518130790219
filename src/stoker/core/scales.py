"""How many instances accounts, models, versions and deployments ask for, and what comes of it. Pure.

Whoever is closer says it: a version before its model, that before its account, that before the server's
settings. A deployment's numbers of instances are its release's; only its idle time is asked for here.
"""

from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from stoker.core.scaling import Scale

Value = TypeVar("Value")
Kind = Literal["account", "model", "version", "deployment"]

LONGEST_IDLE_S = 7 * 86400.0


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    kind: Kind
    ref: str
    """The account's name, or ``owner/name``."""
    version: str = ""
    """64 hex digits, where it is a version."""


class Warm(msgspec.Struct, frozen=True, kw_only=True):
    """Instances that are up before anybody asks, at some times."""

    instances: int = 1
    until_us: int | None = None
    """Over from then on, for good."""
    schedule: str | None = None
    """``core.schedules`` says how it is written; without one, and not adaptive, it is always."""
    adaptive: bool = False
    """At the hours in which it was used in the last two weeks."""
    timezone: str | None = None
    """IANA's name; None is the server's own."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """None is not asked for."""

    idle_s: float | None = None
    min_instances: int | None = None
    max_instances: int | None = None
    warm: Warm | None = None

    @property
    def is_empty(self) -> bool:
        return self == Asked()


def resolve(asked: Sequence[Asked], default: Scale, *, warm: int = 0) -> Scale:
    """What a pool gets: the first of each that is asked for, so many warm at least. Closest come first."""
    least = _first([one.min_instances for one in asked], default.least)
    most = _first([one.max_instances for one in asked], default.most)
    idle_s = _first([one.idle_s for one in asked], default.idle_s)
    return Scale(least=max(min(least, most), warm), most=max(most, warm), idle_s=idle_s)


def price_micro_usd(hours: float, instances: int, micro_usd_per_s: int) -> int:
    """What so many hours of so many instances cost."""
    return round(hours * 3600 * instances * micro_usd_per_s)


def _first(values: Sequence[Value | None], default: Value) -> Value:
    return next((value for value in values if value is not None), default)
