"""Pictures that come in: opened, turned upright and brought to a size. Used by ``generation``."""

import math
from pathlib import Path

from order import STEP
from PIL import Image, ImageOps, UnidentifiedImageError

MOST_POINTS = 2048 * 2048
"""Of a picture that goes through the model at its own size: larger ones are made smaller."""


def open_picture(path: Path, name: str, *, mode: str = "RGB") -> Image.Image:
    """The upright picture; ValueError, with the input's name, for a file that is none."""
    try:
        with Image.open(path) as opened:
            return ImageOps.exif_transpose(opened).convert(mode)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{name} is not a picture that can be read: {error}") from error


def fitted(picture: Image.Image) -> Image.Image:
    """The picture in the nearest smaller size that the model can make."""
    shrink = min(1.0, math.sqrt(MOST_POINTS / (picture.width * picture.height)))
    size = tuple(max(STEP, int(side * shrink) // STEP * STEP) for side in picture.size)
    if shrink < 1:
        print(f"The image is made smaller, from {picture.width} x {picture.height} to {size[0]} x {size[1]}")
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
