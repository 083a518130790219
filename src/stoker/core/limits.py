"""How many requests a token may make: token buckets, one a token and kind of request.

Section 12 of the HTTP contract. Pure: time is an argument. A bucket holds a minute's worth, so bursts up to
that pass, and fills up steadily. Its whole state is one number, the moment at which it will be full again; a
request that is refused does not move it, so a client that asks again at once waits no longer (gotcha 27).
"""

import ipaddress
from typing import NamedTuple

CREATE_PER_MINUTE = 600
OTHER_PER_MINUTE = 3000
POLLS_FOR_OTHER = 20
"""So many GETs of a prediction for each other request: clients poll twice a second (gotcha 33)."""
MINUTE_US = 60_000_000


class Verdict(NamedTuple):
    """What becomes of a request."""

    full_us: int
    """The bucket's new state."""
    remaining: int
    """How many more may follow at once."""
    reset_s: int
    """Whole seconds until the bucket is full again; of a refused request: until the next one may come."""
    accepted: bool


class Limit:
    """So many requests a minute. A bucket that was never used has the state 0."""

    __slots__ = ("interval_us", "span_us")

    def __init__(self, per_minute: int):
        if per_minute < 1:
            raise ValueError("a limit is at least one a minute")
        # Rounded up: never more than the limit.
        self.interval_us = -(-MINUTE_US // per_minute)
        self.span_us = per_minute * self.interval_us

    def take(self, full_us: int, now_us: int) -> Verdict:
        """Takes one request out of a bucket, if there is one in it."""
        taken_us = (full_us if full_us > now_us else now_us) + self.interval_us
        missing_us = taken_us - now_us
        if missing_us > self.span_us:
            return Verdict(full_us, 0, _seconds(missing_us - self.span_us), False)
        return Verdict(taken_us, (self.span_us - missing_us) // self.interval_us, _seconds(missing_us), True)


def per_minute(given: int | None, default: int, *, host: str) -> int:
    """The limit that holds: what was set, else the default, which is none (0) for this machine alone."""
    if given is not None:
        return given
    return 0 if is_loopback(host) else default


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _seconds(us: int) -> int:
    return -(-us // 1_000_000)
