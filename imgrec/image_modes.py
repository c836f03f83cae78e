"""From a decoded picture of any mode to an upright RGB one on white."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PIL.Image import Transpose

ORIENTATION_TAG = 0x0112

_TO_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def upright(picture: Image.Image, *, orientation: object) -> Image.Image:
    """Turn and mirror by an EXIF orientation; one that is not 2..8 leaves the picture alone."""
    how = _TO_UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return picture if how is None else picture.transpose(how)


def to_rgb(picture: Image.Image) -> Image.Image:
    """Return the picture as RGB: 16-bit greys scaled, transparency composited on white."""
    if picture.mode.startswith("I"):
        picture = _scale_16_bit(picture)
    if picture.has_transparency_data:
        return _on_white(picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def shrink(picture: Image.Image, *, short_side: int) -> Image.Image:
    """Average whole blocks of pixels, as long as the shorter side stays at least ``short_side``."""
    factor = min(picture.size) // short_side
    return picture.reduce(factor) if factor > 1 else picture


def _on_white(picture: Image.Image) -> Image.Image:
    # Hidden colours under transparent pixels would otherwise drive the similarity.
    rgba = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    canvas = Image.new("RGB", rgba.size, "white")
    canvas.paste(rgba, mask=rgba)
    return canvas


def _scale_16_bit(picture: Image.Image) -> Image.Image:
    # Pillow's own conversion to 8 bits clips: nearly every 16-bit photo would turn out white.
    values = np.asarray(picture)
    scaled = Image.fromarray((values.clip(0, 65_535) // 257).astype(np.uint8))
    clear = picture.info.get("transparency")
    if not isinstance(clear, int):
        return scaled
    alpha = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
    return Image.merge("LA", (scaled, alpha))
