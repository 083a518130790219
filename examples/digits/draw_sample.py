"""Draws ``seven.png``, the sample picture: a seven of the data set that the classifier was not trained on."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SIZE, MARGIN = 160, 40


def sample(digit: int) -> Image.Image:
    """Ink on paper: the digit's 8 by 8 numbers, enlarged."""
    pixels, digits = load_digits(return_X_y=True)
    _, unseen, _, truth = train_test_split(pixels, digits, test_size=0.2, random_state=0, stratify=digits)
    small = Image.fromarray((unseen[truth == digit][0].reshape(8, 8) * 255 / 16).astype(np.uint8))
    large = small.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    paper = ImageOps.expand(large, border=MARGIN, fill=0)
    return ImageOps.colorize(paper, black="#fbf7ee", white="#1b2a5c")


if __name__ == "__main__":
    sample(7).save(Path(__file__).with_name("seven.png"), optimize=True)
