"""How long the data of predictions is kept: an account's own time, else the server's. Pure.

Seconds; infinity is for ever, 0 until the next sweep. On the wire for ever is the word ``never``.
"""

import math
from collections.abc import Mapping

FOR_EVER_US = 253_402_300_799_000_000
"""The last second of the year 9999: the expiry of what is not to expire."""


def cutoff_us(retention_s: float | None, default_s: float, now_us: int) -> int | None:
    """The data of what was completed before then goes; None where nothing does."""
    kept_s = default_s if retention_s is None else retention_s
    return None if math.isinf(kept_s) else now_us - int(kept_s * 1e6)


def cutoffs_us(retentions: Mapping[str, float | None], default_s: float, now_us: int) -> dict[str, int]:
    """The cut-off of every account that has one."""
    found = {name: cutoff_us(own_s, default_s, now_us) for name, own_s in retentions.items()}
    return {name: moment for name, moment in found.items() if moment is not None}


def expiry_us(life_s: float, now_us: int) -> int:
    """When something ends that may live so long."""
    return FOR_EVER_US if math.isinf(life_s) else min(FOR_EVER_US, now_us + int(life_s * 1e6))
