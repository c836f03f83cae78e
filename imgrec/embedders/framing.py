"""From a picture of any size to the square a network looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

from imgrec.embedders.protocol import Part

# Scaled to 256 pixels on the shorter side, a sliver of 4000 x 1 would be 1,024,000 pixels wide.
# Encoders then keep only the centre square, so what is cut away here was never looked at.
LONGEST = 16


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A centre crop of a scaled picture: ``crop`` pixels where the shorter side has ``side``."""

    side: int = 256
    crop: int = 224
    resample: Resampling = Resampling.BILINEAR

    def cut(self, picture: Image) -> NDArray[np.uint8]:
        """Return the square as uint8, (crop, crop, 3), of an RGB picture.

        The pixels are those of scaling the whole picture and cropping then, as torchvision does,
        but only those that are kept are computed: slivers stay small, too. Pillow does it.
        """
        shorter = min(picture.size)
        left, right = self._kept(picture.width, shorter)
        top, bottom = self._kept(picture.height, shorter)
        size = (self.crop, self.crop)
        return np.asarray(picture.resize(size, self.resample, box=(left, top, right, bottom)))

    def seen(self, width: int, height: int) -> Part:
        """Return the part of a picture of that size that the square shows."""
        shorter = min(width, height)
        left, right = self._kept(width, shorter)
        top, bottom = self._kept(height, shorter)
        return left / width, top / height, right / width, bottom / height

    def scaled(self, length: int, shorter: int) -> tuple[int, int]:
        """Return how many pixels a side has scaled, and at which of them the square begins."""
        pixels = self.side * length // shorter
        return pixels, round((pixels - self.crop) / 2)

    def _kept(self, length: int, shorter: int) -> tuple[float, float]:
        """Return the part of a side, in the picture's pixels, that the square shows."""
        scaled, begin = self.scaled(length, shorter)
        return begin * length / scaled, min((begin + self.crop) * length / scaled, length)


def without_far_ends(picture: Image) -> Image:
    """Return the picture, or its centre at a ratio of 16:1 when it is longer than that."""
    width, height = picture.size
    limit = min(width, height) * LONGEST
    if max(width, height) <= limit:
        return picture
    left, top = max(width - limit, 0) // 2, max(height - limit, 0) // 2
    return picture.crop((left, top, left + min(width, limit), top + min(height, limit)))
