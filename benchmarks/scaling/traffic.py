"""Traffic: when predictions of which model arrive. Seeded, so that every policy sees the same."""

import math
import random
from collections.abc import Iterator

import msgspec


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """How a model behaves in the simulation."""

    name: str
    boot_s: float
    run_s: float
    """Mean; each run draws its own, exponentially around it."""
    slots: int = 1


class Arrival(msgspec.Struct, frozen=True):
    at_s: float
    model: Model
    run_s: float
    """What this one will take."""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    arrivals: list[Arrival]
    """By time."""
    capacity: int = 16
    """How many instances the machine holds at once, of all models together."""


QUICK = Model(name="quick", boot_s=0.3, run_s=0.5)
PICTURES = Model(name="pictures", boot_s=8.0, run_s=4.0)
TEXT = Model(name="text", boot_s=25.0, run_s=6.0, slots=16)
HOUR_S = 3600.0


def traces(seed: int = 1) -> list[Trace]:
    """Those of the documentation's table."""
    draw = random.Random(seed)
    return [
        _trace("steady, 1 in 5 s", _poisson(draw, PICTURES, 0.2, 2 * HOUR_S)),
        _trace("rare, 1 in 3 min", _poisson(draw, PICTURES, 1 / 180, 12 * HOUR_S)),
        _trace("bursts of 60", _bursts(draw, PICTURES, 60, every_s=900, until_s=4 * HOUR_S)),
        _trace("bursts, quick boot", _bursts(draw, QUICK, 200, every_s=600, until_s=4 * HOUR_S)),
        _trace("daily wave, text", _wave(draw, TEXT, 1.5, 24 * HOUR_S)),
        _trace(
            "two models fight",
            [
                *_poisson(draw, PICTURES, 1 / 20, 4 * HOUR_S),
                *_poisson(draw, msgspec.structs.replace(TEXT, slots=1), 1 / 30, 4 * HOUR_S),
            ],
            capacity=1,
        ),
        _trace(
            "five models, room for two",
            [
                arrival
                for number in range(5)
                for arrival in _poisson(
                    draw,
                    Model(name=f"m{number}", boot_s=5.0, run_s=2.0),
                    1 / (30 * 2**number),
                    4 * HOUR_S,
                )
            ],
            capacity=2,
        ),
    ]


def _trace(name: str, arrivals: Iterator[Arrival] | list[Arrival], *, capacity: int = 16) -> Trace:
    return Trace(name=name, arrivals=sorted(arrivals, key=lambda one: one.at_s), capacity=capacity)


def _arrival(draw: random.Random, model: Model, at_s: float) -> Arrival:
    return Arrival(at_s, model, draw.expovariate(1 / model.run_s))


def _poisson(draw: random.Random, model: Model, rate: float, until_s: float) -> Iterator[Arrival]:
    at_s = draw.expovariate(rate)
    while at_s < until_s:
        yield _arrival(draw, model, at_s)
        at_s += draw.expovariate(rate)


def _bursts(
    draw: random.Random, model: Model, size: int, *, every_s: float, until_s: float
) -> Iterator[Arrival]:
    """So many within two seconds, again and again."""
    for start in range(0, int(until_s), int(every_s)):
        for _ in range(size):
            yield _arrival(draw, model, start + draw.random() * 2)


def _wave(draw: random.Random, model: Model, most: float, until_s: float) -> Iterator[Arrival]:
    """A day: nothing at midnight, ``most`` a second at noon. By thinning of a steady stream."""
    for arrival in _poisson(draw, model, most, until_s):
        share = (1 - math.cos(2 * math.pi * arrival.at_s / (24 * HOUR_S))) / 2
        if draw.random() < share**2:
            yield arrival
