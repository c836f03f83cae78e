"""Small pictures for tests, each of its own colours."""

from __future__ import annotations

import colorsys
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image

SIZE = 16


def picture(hue: float, *, shade: float = 0.0, size: int = SIZE) -> Image.Image:
    """Return a two-coloured picture: ``hue`` (0..1) above, the same hue darker below."""
    made = Image.new("RGB", (size, size), _colour(hue, 0.9 - shade))
    made.paste(_colour(hue, 0.5), (0, size // 2, size, size))
    return made


def _colour(hue: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, 0.9, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def png(made: Image.Image) -> bytes:
    """Return the picture as PNG bytes."""
    out = BytesIO()
    made.save(out, "PNG")
    return out.getvalue()


def upload(hue: float, *, name: str = "photo.png", shade: float = 0.0) -> ContentFile[bytes]:
    """Return a file as a form would hand it over."""
    return ContentFile(png(picture(hue, shade=shade)), name=name)
