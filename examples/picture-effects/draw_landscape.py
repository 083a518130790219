"""Draws ``landscape.jpg``, the sample picture: a sun over hills and a lake."""

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT, HORIZON = 480, 320, 190


def landscape() -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(picture)
    for y in range(HEIGHT):
        glow = 1 - abs(y - HORIZON) / HORIZON
        draw.line(
            (0, y, WIDTH, y), fill=(round(60 + 190 * glow**2), round(70 + 110 * glow), round(150 - 40 * glow))
        )
    draw.ellipse((300, 95, 370, 165), fill=(255, 236, 150))
    picture = picture.filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(picture)
    for base, height, step, colour in (
        (0, 70, 71, (92, 72, 110)),
        (30, 45, 43, (58, 62, 82)),
        (60, 30, 29, (34, 48, 52)),
    ):
        ridge = [
            (x, HORIZON - height * (0.6 + 0.4 * math.sin(x / step + base)) + base / 3)
            for x in range(0, WIDTH + 1, 4)
        ]
        draw.polygon([(0, HORIZON + 20), *ridge, (WIDTH, HORIZON + 20)], fill=colour)
    water = picture.crop((0, HORIZON - 100, WIDTH, HORIZON + 20)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    picture.paste(Image.blend(water, Image.new("RGB", water.size, (40, 60, 100)), 0.35), (0, HORIZON + 20))
    return picture


if __name__ == "__main__":
    landscape().save(Path(__file__).with_name("landscape.jpg"), quality=82)
