"""How much may wait: for one version or deployment, and of one account. Called by dispatch's submit."""

from collections.abc import Mapping

from stoker.core.errors import TooManyWaiting, Unavailable
from stoker.core.queue import FairQueue
from stoker.core.scaling import Pool
from stoker.core.settings import Settings
from stoker.runtime.job import Job

COME_BACK_S = 30
"""A line that long does not get short in an instant."""


def check_room(queues: Mapping[Pool, FairQueue[Job]], pool: Pool, account: str, settings: Settings) -> None:
    """Raises ``TooManyWaiting`` or ``Unavailable`` where the next one would wait and may not."""
    queue = queues.get(pool)
    if not queue:
        return
    limit = settings.queue_limit_per_account
    if limit and sum(one.of(account) for one in queues.values()) >= limit:
        raise TooManyWaiting(limit, reset_s=COME_BACK_S)
    limit = settings.queue_limit
    if limit and len(queue) >= limit:
        raise Unavailable(f"{limit} predictions wait for this model, and no more may. Try again later.")
