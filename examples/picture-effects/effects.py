"""The effects: each takes an RGB picture and a strength from 0 to 1, and gives an RGB picture."""

from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Effect = Callable[[Image.Image, float], Image.Image]


def sketch(picture: Image.Image, strength: float) -> Image.Image:
    """Pencil on paper: lightened by a blurred negative of itself, so that only what changes stays dark."""
    grey = ImageOps.grayscale(picture)
    blurred = ImageOps.invert(grey).filter(ImageFilter.GaussianBlur(2 + 14 * strength))
    light = ImageChops.add(grey, blurred)
    return ImageOps.autocontrast(ImageChops.multiply(light, light), cutoff=1).convert("RGB")


def oil(picture: Image.Image, strength: float) -> Image.Image:
    """Brush strokes: every point takes the commonest colour around it."""
    return picture.filter(ImageFilter.ModeFilter(3 + 2 * round(5 * strength)))


def poster(picture: Image.Image, strength: float) -> Image.Image:
    """Few, strong colours."""
    flat = ImageOps.posterize(picture.filter(ImageFilter.MedianFilter(5)), 4 - round(2 * strength))
    return ImageEnhance.Color(flat).enhance(1 + strength)


def sepia(picture: Image.Image, strength: float) -> Image.Image:
    """An old photograph, darker towards its edges."""
    toned = ImageOps.colorize(ImageOps.grayscale(picture), black="#1e120a", white="#fff3d6", mid="#9b7653")
    return _vignette(Image.blend(picture, toned, 0.4 + 0.6 * strength), strength)


def duotone(picture: Image.Image, strength: float) -> Image.Image:
    """Two inks."""
    inked = ImageOps.colorize(
        ImageOps.autocontrast(ImageOps.grayscale(picture)), black="#1b1f6b", white="#ffd76e"
    )
    return Image.blend(picture, inked, strength)


def mosaic(picture: Image.Image, strength: float) -> Image.Image:
    """Square tiles of one colour each."""
    tile = 4 + round(28 * strength)
    small = picture.resize(
        (max(1, picture.width // tile), max(1, picture.height // tile)), Image.Resampling.BOX
    )
    return small.resize(picture.size, Image.Resampling.NEAREST)


def outline(picture: Image.Image, strength: float) -> Image.Image:
    """Coloured contours on black."""
    edges = (
        picture.filter(ImageFilter.GaussianBlur(1))
        .filter(ImageFilter.FIND_EDGES)
        .filter(ImageFilter.MaxFilter(3))
    )
    return ImageEnhance.Brightness(edges).enhance(1 + 3 * strength)


EFFECTS: dict[str, Effect] = {
    effect.__name__: effect for effect in (sketch, oil, poster, sepia, duotone, mosaic, outline)
}


def _vignette(picture: Image.Image, strength: float) -> Image.Image:
    width, height = picture.size
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).ellipse((-0.15 * width, -0.15 * height, 1.15 * width, 1.15 * height), fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(max(picture.size) / 8))
    return Image.composite(picture, ImageEnhance.Brightness(picture).enhance(1 - 0.8 * strength), mask)
