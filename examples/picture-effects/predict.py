"""Picture in, picture out, in the SDK's older spelling: a ``Predictor`` with ``predict``."""

import tempfile

from cog import BasePredictor, Input, Path
from effects import EFFECTS
from PIL import Image, ImageOps


class Predictor(BasePredictor):
    def predict(
        self,
        image: Path = Input(description="The picture: PNG, JPEG, WebP, GIF ..."),
        effect: str = Input(description="What to make of it", choices=list(EFFECTS), default="sketch"),
        strength: float = Input(description="From a hint to all the way", ge=0.0, le=1.0, default=0.6),
        max_size: int = Input(
            description="Longer side of the result at most, in pixels", ge=16, le=4096, default=1024
        ),
        output_format: str = Input(description="Kind of file", choices=["png", "jpg", "webp"], default="png"),
    ) -> Path:
        """The picture with the effect, upright, as a file of the wanted kind."""
        with Image.open(image) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        picture.thumbnail((max_size, max_size), Image.Resampling.LANCZOS)
        print(f"{effect} at {strength:g} on {picture.width} x {picture.height} pixels")
        result = EFFECTS[effect](picture, strength)
        path = Path(tempfile.mkdtemp()) / f"{effect}.{output_format}"
        result.save(path, quality=90)
        return path
