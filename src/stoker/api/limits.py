"""The rate limits of this server: a bucket for each token and kind of request, in memory.

Asked by ``endpoint``. A restart fills every bucket up, which is harmless: it is a minute's worth.
"""

from typing import Literal, NamedTuple

from stoker.core import limits
from stoker.core.errors import Throttled
from stoker.core.limits import Limit
from stoker.core.settings import Settings

Kind = Literal["create", "poll", "other"]

Headers = list[tuple[bytes, bytes]]


class Buckets(NamedTuple):
    limit: Limit | None
    """None is no limit."""
    full_us: dict[str, int]
    """The state of each token's bucket; a token that is missing has a full one."""


class RateLimits:
    def __init__(self, settings: Settings):
        create, other = settings.rate_limit_create_per_minute, settings.rate_limit_per_minute
        create = limits.per_minute(create, limits.CREATE_PER_MINUTE, host=settings.host)
        other = limits.per_minute(other, limits.OTHER_PER_MINUTE, host=settings.host)
        per_minute: dict[Kind, int] = {
            "create": create,
            "poll": other * limits.POLLS_FOR_OTHER,
            "other": other,
        }
        self._buckets = {kind: _buckets(most) for kind, most in per_minute.items()}
        self.are_on = any(buckets.limit is not None for buckets in self._buckets.values())

    def take(self, token_id: str, kind: Kind, now_us: int) -> Headers:
        """The headers that tell the client what is left; raises ``Throttled`` where nothing is."""
        limit, full_us = self._buckets[kind]
        if limit is None:
            return []
        verdict = limit.take(full_us.get(token_id, 0), now_us)
        if not verdict.accepted:
            raise Throttled(verdict.reset_s)
        full_us[token_id] = verdict.full_us
        return [
            (b"ratelimit-remaining", b"%d" % verdict.remaining),
            (b"ratelimit-reset", b"%d" % verdict.reset_s),
        ]

    def step(self, now_us: int) -> None:
        """Forgets the buckets that are full again. A background duty."""
        for _, full_us in self._buckets.values():
            for token_id in [id for id, moment in full_us.items() if moment <= now_us]:
                del full_us[token_id]


def _buckets(per_minute: int) -> Buckets:
    return Buckets(Limit(per_minute) if per_minute else None, {})
