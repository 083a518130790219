"""What ``test_blip2`` asks of models/blip-2, and the pictures for it; runs in the lab (see ``lab``)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pictures import UnreadablePicture, read
from PIL import Image, ImageDraw
from predict import Predictor, prompt
from transformers.utils import logging
from viewer import Viewer

logging.set_verbosity_error()
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
SIZE = (60, 40)


def _quarters() -> Image.Image:
    """Red above green at the left, blue above black at the right."""
    picture = Image.new("RGB", SIZE)
    drawn = ImageDraw.Draw(picture)
    for corner, colour in (((0, 0), RED), ((0, 20), GREEN), ((30, 0), BLUE)):
        drawn.rectangle((*corner, corner[0] + 29, corner[1] + 19), fill=colour)
    return picture


def _turned(path: Path) -> None:
    """As cameras keep it that were held sideways: a viewer turns it clockwise by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    _quarters().save(path, exif=exif, quality=95, subsampling=0)


def _see_through(path: Path) -> None:
    picture = _quarters().convert("RGBA")
    picture.paste((0, 0, 0, 0), (30, 0, 60, 20))
    picture.save(path)


def _palette_with_hole(path: Path) -> None:
    picture = _quarters().quantize(8)
    picture.save(path, transparency=picture.getpixel((40, 5)))


def _deep_grey(path: Path) -> None:
    values = np.zeros(SIZE[::-1], np.uint16)
    values[:20, :30], values[20:, :30], values[:20, 30:] = 65_535, 32_768, 300
    Image.fromarray(values).save(path)


def _moving(path: Path) -> None:
    _quarters().save(path, save_all=True, append_images=[Image.new("RGB", SIZE, "white")])


KINDS: dict[str, Callable[[Path], None]] = {
    "plain.png": lambda path: _quarters().save(path),
    "plain.webp": lambda path: _quarters().save(path, lossless=True),
    "palette.png": lambda path: _quarters().quantize(8).save(path),
    "print.jpg": lambda path: _quarters().convert("CMYK").save(path, quality=95, subsampling=0),
    "moving.gif": _moving,
    "turned.jpg": _turned,
    "see_through.png": _see_through,
    "hole.png": _palette_with_hole,
    "grey.png": lambda path: _quarters().convert("L").save(path),
    "ink.png": lambda path: _quarters().convert("1", dither=Image.Dither.NONE).save(path),
    "deep_grey.png": _deep_grey,
    "point.png": lambda path: Image.new("RGB", (1, 1), RED).save(path),
    "huge.png": lambda path: Image.new("1", (20_000, 9_000)).save(path),
    "circle.png": lambda path: _circle().save(path),
}


def _circle() -> Image.Image:
    picture = Image.new("RGB", (120, 120), "white")
    ImageDraw.Draw(picture).ellipse((20, 20, 90, 90), fill="blue")
    return picture


def make(folder: str) -> None:
    """Each kind of picture as a file."""
    for name, write in KINDS.items():
        write(Path(folder) / name)


def seen(path: str) -> Any:
    """Mode, size and the colours of four corners as the model sees them; or what is said against the file."""
    try:
        picture = read(Path(path))
    except UnreadablePicture as error:
        return str(error)
    right, below = picture.width - 1, picture.height - 1
    corners = [picture.getpixel(corner) for corner in ((0, 0), (right, 0), (0, below), (right, below))]
    return [picture.mode, list(picture.size), [list(colour) for colour in corners]]


def says(checkpoint: str, path: str, words: str, temperature: float | None = None) -> str:
    """An answer, or what is said against the words."""
    viewer = _VIEWERS.setdefault(checkpoint, None) or Viewer.load(Path(checkpoint))
    _VIEWERS[checkpoint] = viewer
    try:
        return viewer.say(read(Path(path)), words, temperature=temperature)
    except ValueError as error:
        return f"refused: {error}"


_VIEWERS: dict[str, Viewer | None] = {}


def asked(question: str, context: str) -> str:
    return prompt(question, context)


def other_weights(folder: str) -> str:
    """Why the model is not made of what lies in the folder."""
    try:
        Viewer.load(Path(folder))
    except RuntimeError as error:
        return str(error)
    raise AssertionError("it was made")


def without_weights() -> str:
    """Why the predictor does not start."""
    try:
        Predictor().setup()
    except RuntimeError as error:
        return str(error)
    raise AssertionError("it started")
