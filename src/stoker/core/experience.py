"""What was learned of a version from its runs: how long it boots, how long it runs, what memory it takes.

Written by the fleet, kept by the store, read by scaling and placement. Pure.
"""

import msgspec

WEIGHT = 0.3
"""Of the newest boot or run in the moving averages: some ten of them are remembered."""


EXPECTED_BYTES = 256 * 1024 * 1024
"""Main memory that a version is expected to take before one of its instances was looked at."""
GROWN = 1.5
"""Times what was known is given to a version whose instance was ended for want of memory."""
HOUR_US = 3_600_000_000
MOST_HOURS = 14 * 24


class Experience(msgspec.Struct, frozen=True, kw_only=True):
    boots: int = 0
    boot_s: float | None = None
    """Moving average, from the decision to start to ready; None before the first."""
    runs: int = 0
    run_s: float | None = None
    """Moving average of what a prediction takes in its slot; None before the first."""
    gap_s: float | None = None
    """Moving average of what lies between two predictions that arrive."""
    asked_us: int = 0
    """When the latest arrived."""
    hours: tuple[int, ...] = ()
    """The hours since 1970 in which any arrived, of the latest two weeks with use at most."""
    memory_bytes: int | None = None
    """The most main memory that an instance was seen to take."""
    gpu_memory_bytes: int | None = None
    """The most memory on one GPU that an instance was seen to take."""


def booted(before: Experience, took_s: float) -> Experience:
    return msgspec.structs.replace(before, boots=before.boots + 1, boot_s=_moved(before.boot_s, took_s))


def ran(before: Experience, took_s: float) -> Experience:
    return msgspec.structs.replace(before, runs=before.runs + 1, run_s=_moved(before.run_s, took_s))


def asked(before: Experience, now_us: int) -> Experience:
    """With one more prediction that has arrived."""
    gap_s = _moved(before.gap_s, (now_us - before.asked_us) / 1e6) if before.asked_us else None
    hour = now_us // HOUR_US
    hours = before.hours if hour in before.hours[-1:] else (*before.hours, hour)[-MOST_HOURS:]
    return msgspec.structs.replace(before, gap_s=gap_s, asked_us=now_us, hours=hours)


def used(before: Experience, *, memory_bytes: int | None, gpu_memory_bytes: int | None = None) -> Experience:
    """With what an instance takes now, where that is more than was known."""
    return msgspec.structs.replace(
        before,
        memory_bytes=_larger(before.memory_bytes, memory_bytes),
        gpu_memory_bytes=_larger(before.gpu_memory_bytes, gpu_memory_bytes),
    )


def outgrew(before: Experience, *, taken_bytes: int, most_bytes: int) -> Experience:
    """With an end for want of memory: it needs more than was known, nobody knows how much.

    Never more than there is for instances: what one run took does not prove that the version can never run.
    """
    known = max(before.memory_bytes or 0, taken_bytes, EXPECTED_BYTES)
    return used(before, memory_bytes=min(int(known * GROWN), most_bytes))


def _moved(average: float | None, new: float) -> float:
    return new if average is None else average + WEIGHT * (new - average)


def _larger(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)
