"""Which digit is in the picture? As good as what it was trained to; untrained it only guesses."""

import numpy as np
from cog import BaseModel, BaseRunner, Input, Path
from network import FULL, Network
from PIL import Image, ImageOps

SIDE = 32


class Answer(BaseModel):
    digit: int
    confidence: float


class Runner(BaseRunner):
    def setup(self, weights: Path | None = None) -> None:
        self.network = Network.load(str(weights)) if weights else Network.fresh()
        print(f"weights: {weights.name if weights else 'none, it has learned nothing yet'}")

    def run(
        self,
        image: Path = Input(
            description="One written digit, dark on light or light on dark", accept="image/*"
        ),
    ) -> Answer:
        with Image.open(image) as picture:
            shares = self.network.shares(counts(picture)[None])[0]
        return Answer(digit=int(shares.argmax()), confidence=round(float(shares.max()), 4))


def counts(picture: Image.Image) -> np.ndarray:
    """The 64 numbers of the data set: how much ink, 0 to 16, is in each eighth by eighth of the digit."""
    grey = np.asarray(ImageOps.grayscale(picture), dtype=np.float64)
    contrast = np.abs(grey - np.median(grey))
    if contrast.max() < 32:
        raise ValueError("There is no digit in this picture: it is of one colour.")
    rows, columns = (np.flatnonzero((contrast > contrast.max() / 2).any(axis=axis)) for axis in (1, 0))
    cut = contrast[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] * 255 / contrast.max()
    digit = ImageOps.contain(Image.fromarray(cut.astype(np.uint8)), (SIDE, SIDE))
    middle = Image.new("L", (SIDE, SIDE))
    middle.paste(digit, ((SIDE - digit.width) // 2, (SIDE - digit.height) // 2))
    inked = np.asarray(middle) > 127
    return inked.reshape(8, 4, 8, 4).mean(axis=(1, 3)).ravel() * FULL
