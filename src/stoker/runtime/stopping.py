"""The last moments of what runs while the server stops. Used by dispatch, which lets nothing new begin."""

import asyncio
from collections.abc import Sequence

from stoker.core.prediction import INTERRUPTED
from stoker.runtime.job import Job

WRITE_WITHIN_S = 5.0
"""How long a stop waits for the disk; the next start finds what was not written and ends it."""


async def let_end(running: Sequence[Job], grace_s: float, *, hurry: asyncio.Event) -> None:
    """Returns when all are over; those that are not within the time, or at ``hurry``, are interrupted."""
    over = asyncio.gather(*(job.live.wait_over() for job in running))
    hurried = asyncio.ensure_future(hurry.wait())
    await asyncio.wait([over, hurried], timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    for job in running:
        if not job.ended:
            job.fail(INTERRUPTED)
    await asyncio.wait([over], timeout=WRITE_WITHIN_S)
