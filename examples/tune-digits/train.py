"""Teaches the network: from nothing or, where the version has weights, from what it knows."""

import os

import numpy as np
from cog import BaseModel, Input, Path, current_scope
from network import FULL, Network
from sklearn import datasets, model_selection


class Trained(BaseModel):
    weights: Path


def train(
    rounds: int = Input(description="How often it sees every digit", default=10, ge=1, le=1000),
    samples: Path = Input(
        description="Other digits to learn from: lines of 64 numbers (0 to 16) and the digit, with commas",
        default=None,
    ),
) -> Trained:
    pixels, digits = datasets.load_digits(return_X_y=True)
    learn, test, right, truth = model_selection.train_test_split(
        pixels, digits, test_size=0.2, random_state=0, stratify=digits
    )
    if samples is not None:
        learn, right = read(samples)
    known = os.environ.get("COG_WEIGHTS")
    network = Network.load(known) if known else Network.fresh()
    before = after = network.accuracy(test, truth)
    print(
        f"{len(right)} digits to learn from; before: {before:.1%} of {len(truth)} others are right",
        flush=True,
    )
    for number in range(1, rounds + 1):
        network.learn(learn, right, seed=number)
        after = network.accuracy(test, truth)
        print(f"round {number}: {after:.1%}", flush=True)
    for name, value in (("accuracy_before", before), ("accuracy_after", after), ("samples", len(right))):
        current_scope().record_metric(name, round(value, 4))
    network.save("digits.npz")
    return Trained(weights=Path("digits.npz"))


def read(samples: Path) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and digits of a file in the data set's own form."""
    lines = np.loadtxt(samples, delimiter=",", ndmin=2)
    if lines.shape[1] != 65 or lines.min() < 0 or lines.max() > FULL or lines[:, 64].max() > 9:
        raise ValueError("Each line needs 64 numbers from 0 to 16 and a digit from 0 to 9.")
    return lines[:, :64], lines[:, 64].astype(np.int64)
