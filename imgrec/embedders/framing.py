"""Keeps extremely elongated pictures from exploding when their shorter side is scaled up."""

from __future__ import annotations

from PIL.Image import Image

# Scaled to 256 pixels on the shorter side, a sliver of 4000 x 1 would be 1,024,000 pixels wide.
# Encoders then keep only the centre square, so what is cut away here was never looked at.
LONGEST = 16


def without_far_ends(picture: Image) -> Image:
    """Return the picture, or its centre at a ratio of 16:1 when it is longer than that."""
    width, height = picture.size
    limit = min(width, height) * LONGEST
    if max(width, height) <= limit:
        return picture
    left, top = max(width - limit, 0) // 2, max(height - limit, 0) // 2
    return picture.crop((left, top, left + min(width, limit), top + min(height, limit)))
