"""A picture of a digit becomes the 8 by 8 numbers that the classifier knows.

The data set was made from bitmaps of 32 by 32 points that the digit fills from top to bottom: each number
counts the inked points, 0 to 16, of one block of 4 by 4. The same is done here to any picture.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SIDE, BLOCK = 32, 4


def counts(picture: Image.Image) -> NDArray[np.float64]:
    """64 numbers, row by row; raises ValueError where the picture shows nothing."""
    grey = np.asarray(ImageOps.grayscale(picture), dtype=np.float64)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    contrast = np.abs(grey - np.median(border))  # dark on light or light on dark
    if contrast.max() < 32:
        raise ValueError("There is no digit in this picture: it is of one colour.")
    ink = contrast > contrast.max() / 2
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cut = contrast[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    bitmap = _fit(Image.fromarray((cut * 255 / contrast.max()).astype(np.uint8))) > 127
    return (
        bitmap.reshape(SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK).sum(axis=(1, 3)).astype(np.float64).ravel()
    )


def _fit(digit: Image.Image) -> NDArray[np.uint8]:
    """The digit as large as the bitmap, in its middle, with its own proportions."""
    scale = SIDE / max(digit.size)
    digit = digit.resize((max(1, round(digit.width * scale)), max(1, round(digit.height * scale))))
    bitmap = Image.new("L", (SIDE, SIDE))
    bitmap.paste(digit, ((SIDE - digit.width) // 2, (SIDE - digit.height) // 2))
    return np.asarray(bitmap)
