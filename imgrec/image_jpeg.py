"""Ordinary JPEGs by simplejpeg, where it is installed: Pillow's own pixels, sooner."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from PIL import Image

# What a JPEG decoder can reduce by, for next to nothing.
FACTORS = (8, 4, 2)


def decode(data: bytes, *, size: tuple[int, int], short_side: int | None) -> Image.Image | None:
    """Return the picture in ``data``, as stored, reduced as Pillow's ``draft`` would.

    ``size`` is what Pillow reads in the header. None: not for this decoder, or not without
    complaints, so Pillow shall say whether it is a picture, and why not.
    """
    decoder = _simplejpeg()
    if decoder is None:
        return None
    try:
        height, width, colours, _sampling = decoder.decode_jpeg_header(data)
        if (width, height) != size or colours not in ("YCbCr", "Gray"):
            return None
        factor = _factor(size, short_side)
        smallest = {"min_height": -(-height // factor), "min_width": -(-width // factor)}
        pixels = decoder.decode_jpeg(data, "RGB", min_factor=factor, **smallest)
    except ValueError:
        return None
    return Image.fromarray(pixels)


def _factor(size: tuple[int, int], short_side: int | None) -> int:
    if not short_side:
        return 1
    return next((each for each in FACTORS if min(size) // short_side >= each), 1)


@cache
def _simplejpeg() -> Any:
    return import_module("simplejpeg") if find_spec("simplejpeg") else None
