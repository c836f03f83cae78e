"""A picture in a few bits that stay the same when it is recompressed, resized or cut a little.

Each hash is 64 bits of the picture's coarsest waves: whether each is stronger than their median.
A part of a picture has other waves than the whole, so 25 parts, of 85 % of each side, have
hashes of their own: a picture that was cut is near one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

SIDE = 32
WAVES = 8
PART = 0.85
PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)

_STEPS = np.arange(SIDE)
_COSINES = np.cos(np.pi * (2 * _STEPS[None] + 1) * _STEPS[:WAVES, None] / (2 * SIDE))
_PLACES = 1 << np.arange(WAVES * WAVES, dtype=np.uint64)

Box = tuple[float, float, float, float]


def hashes_of(picture: Image.Image) -> list[int]:
    """Return the hash of the whole picture, then those of its parts, as signed 64-bit numbers."""
    grey = picture.convert("L")
    return [_hash(grey, box) for box in (None, *_parts(*grey.size))]


def bits_apart(one: Sequence[int], other: Sequence[int]) -> int:
    """Return in how many bits of 64 two pictures differ, one of them perhaps a part of the other.

    More than 64 where one of them has no hashes.
    """
    if not one or not other:
        return 65
    pairs = [(one[0], each) for each in other] + [(other[0], each) for each in one[1:]]
    return min(((a ^ b) & 0xFFFFFFFFFFFFFFFF).bit_count() for a, b in pairs)


def _parts(width: int, height: int) -> Iterator[Box]:
    across, down = width * PART, height * PART
    for x in PLACES:
        for y in PLACES:
            left, top = (width - across) * x, (height - down) * y
            yield left, top, left + across, top + down


def _hash(grey: Image.Image, box: Box | None) -> int:
    small = grey.resize((SIDE, SIDE), Image.Resampling.BOX, box=box)
    waves = (_COSINES @ np.asarray(small, dtype=np.float64) @ _COSINES.T).ravel()
    waves[0] = 0.0  # brightness says nothing
    strong = waves > np.median(waves[1:])
    return int(_PLACES[strong].sum(dtype=np.uint64).astype(np.int64))
