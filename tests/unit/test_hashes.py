"""Hashes of pictures: the same for copies, near for parts, far for others."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter

from imgrec.duplicates.hashes import bits_apart, hashes_of
from imgrec.duplicates.limits import Copied, measured
from tests.pictures import picture


def noise(seed: int, size: tuple[int, int] = (240, 320)) -> Image.Image:
    """Return large soft blobs, no two seeds alike."""
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 7, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def recompressed(made: Image.Image) -> Image.Image:
    out = BytesIO()
    made.save(out, "JPEG", quality=30)
    return Image.open(BytesIO(out.getvalue())).convert("RGB")


@pytest.mark.parametrize("seed", range(4))
def test_copies_are_near(seed: int) -> None:
    made = noise(seed)
    own = hashes_of(made)
    assert len(own) == 26
    assert bits_apart(own, own) == 0
    copies = (
        recompressed(made),
        made.resize((120, 160)),
        made.filter(ImageFilter.GaussianBlur(1)),
        made.convert("L"),  # another colour
        made.point(lambda value: int(value * 0.8)),  # darker
    )
    assert max(bits_apart(own, hashes_of(copy)) for copy in copies) <= 4


@pytest.mark.parametrize("corner", [(0, 0), (36, 48), (18, 24), (5, 40)])
def test_a_part_is_near_whichever_of_the_two_is_cut(corner: tuple[int, int]) -> None:
    made = noise(9)
    left, top = corner
    part = made.crop((left, top, left + 204, top + 272))
    near = bits_apart(hashes_of(made), hashes_of(part))
    assert near <= 10
    assert near == bits_apart(hashes_of(part), hashes_of(made))


def test_others_are_far() -> None:
    hashes = [hashes_of(noise(seed)) for seed in range(12)]
    apart = [bits_apart(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 10


def test_what_cannot_be_read_is_near_nothing() -> None:
    assert bits_apart([], hashes_of(noise(1))) > 64
    assert bits_apart([], []) > 64


def test_numbers_fit_into_a_bigint() -> None:
    for made in (noise(3), picture(0.2), Image.new("RGB", (1, 1)), Image.new("L", (500, 2), 255)):
        assert all(-(2**63) <= each < 2**63 for each in hashes_of(made))


def test_limits_hold_copies_and_are_drawn_in_where_others_would_come_in() -> None:
    copies = [Copied("resized", 0.97, 1)] * 50 + [Copied("cropped", 0.9, 9)] * 50
    free = measured(copies, [(0.6, 30)] * 1_000)
    assert (free.copy_bits, free.crop_bits) == (1, 9)
    assert free.hold(0.98, 1)
    assert free.hold(0.91, 9)
    assert not free.hold(0.91, 10)
    assert not free.hold(0.85, 0)
    crowded = measured(copies, [(0.6, 8)] * 10 + [(0.6, 30)] * 990)
    assert crowded.crop_bits == 7
