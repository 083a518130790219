"""Figures: what was measured on both sides, with medians, ratios and the target. No measuring here."""

import statistics
from typing import Literal

import msgspec

Side = Literal["Cog", "Stoker"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What we want of a figure: at most, at least, and how many times better than Cog's own server."""

    at_most: float | None = None
    at_least: float | None = None
    times_better: float | None = None

    def text(self) -> str:
        parts = [
            f"at most {self.at_most:g}" if self.at_most is not None else "",
            f"at least {self.at_least:g}" if self.at_least is not None else "",
            f"{self.times_better:g}x Cog" if self.times_better is not None else "",
        ]
        return ", ".join(part for part in parts if part)


class Figure(msgspec.Struct, kw_only=True):
    """One quantity, measured in rounds on both sides; a side without samples does not have it."""

    name: str
    unit: str
    better: Literal["less", "more"]
    target: Target | None = None
    samples: dict[Side, list[float]] = msgspec.field(default_factory=dict)

    def median(self, side: Side) -> float | None:
        return statistics.median(self.samples[side]) if self.samples.get(side) else None

    @property
    def times_better(self) -> float | None:
        """How many times better we are than Cog's own server; below 1 is worse."""
        cog, stoker = self.median("Cog"), self.median("Stoker")
        if not cog or not stoker:
            return None
        return cog / stoker if self.better == "less" else stoker / cog

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None without one."""
        value, target = self.median("Stoker"), self.target
        if target is None or value is None:
            return None
        return (
            (target.at_most is None or value <= target.at_most)
            and (target.at_least is None or value >= target.at_least)
            and (target.times_better is None or (self.times_better or 0) >= target.times_better)
        )


class Sheet:
    """The figures of a run in the order of their first sample."""

    def __init__(self) -> None:
        self.figures: dict[str, Figure] = {}

    def define(
        self, name: str, unit: str, better: Literal["less", "more"], *, target: Target | None = None
    ) -> None:
        """Announces a figure; once is enough."""
        self.figures.setdefault(name, Figure(name=name, unit=unit, better=better, target=target))

    def add(self, name: str, side: Side, value: float) -> None:
        self.figures[name].samples.setdefault(side, []).append(value)
