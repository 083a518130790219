"""A network that reads digits: 64 numbers in, 48 hidden ones, 10 shares out. It learns in seconds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

HIDDEN = 48
BATCH = 32
STEP = 0.16
FULL = 16.0
"""The highest of the 64 numbers."""


class Network(NamedTuple):
    first: Numbers
    first_bias: Numbers
    second: Numbers
    second_bias: Numbers

    @classmethod
    def fresh(cls) -> "Network":
        """One that knows nothing yet; always the same."""
        chance = np.random.default_rng(0)
        return cls(
            chance.normal(0, 0.1, (64, HIDDEN)),
            np.zeros(HIDDEN),
            chance.normal(0, 0.1, (HIDDEN, 10)),
            np.zeros(10),
        )

    @classmethod
    def load(cls, path: str) -> "Network":
        with np.load(path) as kept:
            return cls(*(kept[name] for name in cls._fields))

    def save(self, path: str) -> None:
        np.savez(path, **self._asdict())

    def shares(self, counts: Numbers) -> Numbers:
        """How likely each of the ten digits is, for each row of 64 numbers."""
        return self._think(counts / FULL)[1]

    def accuracy(self, counts: Numbers, digits: NDArray[np.int64]) -> float:
        return float((self.shares(counts).argmax(axis=1) == digits).mean())

    def learn(self, counts: Numbers, digits: NDArray[np.int64], *, seed: int) -> None:
        """Sees each digit once, in an order of its own, and gets a little better at all of them."""
        for batch in np.array_split(
            np.random.default_rng(seed).permutation(len(digits)), len(digits) // BATCH + 1
        ):
            seen = counts[batch] / FULL
            hidden, shares = self._think(seen)
            wrong = shares - np.eye(10)[digits[batch]]
            back = (wrong @ self.second.T) * (1 - hidden**2)
            for weights, change in (
                (self.second, hidden.T @ wrong),
                (self.second_bias, wrong.sum(axis=0)),
                (self.first, seen.T @ back),
                (self.first_bias, back.sum(axis=0)),
            ):
                weights -= STEP / len(batch) * change

    def _think(self, seen: Numbers) -> tuple[Numbers, Numbers]:
        hidden = np.tanh(seen @ self.first + self.first_bias)
        votes = hidden @ self.second + self.second_bias
        powers = np.exp(votes - votes.max(axis=1, keepdims=True))
        return hidden, powers / powers.sum(axis=1, keepdims=True)
