"""Picture files of any kind become the plain colours that the model looks at.

Called by the predictor.
"""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

_BEHIND = "white"
"""What is seen through a picture's transparent parts."""


class UnreadablePicture(ValueError):
    """The file is no picture that can be shown."""


def read(path: Path) -> Image.Image:
    """The picture as a viewer shows it, upright and in RGB; raises ``UnreadablePicture``."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of pictures that would fill the memory, and refuses those twice as large.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                picture.load()
                return _plain(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        raise UnreadablePicture("This is no picture: the file is of no known kind.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        most = f"{Image.MAX_IMAGE_PIXELS:,}"
        raise UnreadablePicture(f"The picture is too large: {most} points are the most.") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadablePicture(f"The picture is damaged: {error}.") from error


def _plain(picture: Image.Image) -> Image.Image:
    """In RGB: without what is transparent, and with 16 bits of grey made 8."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return _grey(picture).convert("RGB")
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        behind = Image.new("RGBA", seen.size, _BEHIND)
        return Image.alpha_composite(behind, seen).convert("RGB")
    return picture.convert("RGB")


def _grey(picture: Image.Image) -> Image.Image:
    """Pillow itself would cut off what is brighter than 255."""
    values = np.asarray(picture, dtype=np.float64)
    most = 65535 if picture.mode.startswith("I") else max(1.0, float(np.nanmax(values)))
    return Image.fromarray(np.clip(np.nan_to_num(values) * (255 / most), 0, 255).astype(np.uint8))
