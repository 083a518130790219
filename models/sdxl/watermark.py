"""An invisible mark that says that a machine made a picture. Written by ``predict``; ``read`` finds it again.

It is the mark of Stability AI's own code and of diffusers: the same 48 bits, where the decoder of the library
invisible-watermark looks for them under the name dwtDct (which in spite of that transforms no cosines). Made
anew here because that library brings all of OpenCV along, and loses bits in even areas.

The colour difference U (blue against brightness) is halved in both directions. In each block of 4 x 4 of its
values the largest one, the first left out, says a bit: by the half of an interval of 36 in which it lies. It
informs the honest: cropping or strong compression removes it, pure white holds none, and small pictures have
room for too few copies.
"""

import numpy as np
from PIL import Image

MESSAGE = 0b101100111110110010010000011110111011000110011110
BITS = np.array([int(bit) for bit in f"{MESSAGE:b}"])
INTERVAL = 36
"""The lower half of each says 0, the upper half 1; we write into the middle of the half."""
LEAD = 4
"""By how much the largest value of a block must exceed the others to be the largest after rounding, too."""
BLOCK = 4
CELL = 2 * BLOCK
"""Points of the picture to a side of a block."""

_LUMA = np.array([0.299, 0.587, 0.114])
_BLUE, _BLUE_TO_RGB = 0.492, np.array([0, -0.395, 2.032])
"""From blue less brightness to U, and from a change of U to changes of red, green and blue."""


def embed(picture: Image.Image) -> Image.Image:
    """The picture with the mark."""
    colours = np.asarray(picture.convert("RGB"), dtype=np.float64)
    values = _values(colours)
    rows, largest = np.arange(len(values)), _largest(values)
    old = values[rows, largest]
    values[rows, largest] = 0
    middles = INTERVAL * (0.25 + 0.5 * np.resize(BITS, len(rows)))
    nearest = np.rint((old - middles) / INTERVAL)
    lowest = np.ceil((values[:, 1:].max(1, initial=0) + LEAD - middles) / INTERVAL)
    change = np.zeros_like(values)
    change[rows, largest] = middles + INTERVAL * np.maximum(nearest, lowest) - old
    return Image.fromarray(_changed(colours, change))


def read(picture: Image.Image) -> int:
    """The 48 bits that the picture's blocks say by majority; those of an unmarked picture mean nothing."""
    values = _values(np.asarray(picture.convert("RGB"), dtype=np.float64))
    said = values[np.arange(len(values)), _largest(values)] % INTERVAL > INTERVAL / 2
    places = np.arange(len(said)) % len(BITS)
    ones = np.bincount(places, weights=said, minlength=len(BITS))
    bits = ones * 2 > np.bincount(places, minlength=len(BITS))
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _values(colours: np.ndarray) -> np.ndarray:
    """The 16 values of each block, row by row; points at the edges that fill no block are left out."""
    blue = np.rint((colours[..., 2] - colours @ _LUMA) * _BLUE + 128).clip(0, 255)
    rows, columns = (side // CELL for side in blue.shape)
    halved = (
        blue[: rows * CELL, : columns * CELL].reshape(rows * BLOCK, 2, columns * BLOCK, 2).sum((1, 3)) / 2
    )
    return halved.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK * BLOCK)


def _largest(values: np.ndarray) -> np.ndarray:
    return values[:, 1:].argmax(1) + 1


def _changed(colours: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The picture after a change of its blocks' values."""
    rows, columns = (side // CELL for side in colours.shape[:2])
    halved = change.reshape(rows, columns, BLOCK, BLOCK).swapaxes(1, 2).reshape(rows * BLOCK, -1)
    blue = np.repeat(np.repeat(halved / 2, 2, axis=0), 2, axis=1)
    changed = colours.copy()
    changed[: blue.shape[0], : blue.shape[1]] += blue[..., None] * _BLUE_TO_RGB
    return np.rint(changed).clip(0, 255).astype(np.uint8)
