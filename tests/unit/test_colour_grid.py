"""The encoder for shops' tests, in as many dimensions as the shop's own one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imgrec.testing import ColourGrid


def test_more_dimensions_change_no_similarity() -> None:
    pictures = [Image.effect_noise((40, 30), 80).convert("RGB") for _ in range(4)]
    few, many = ColourGrid().embed(pictures), ColourGrid(dimensions=512).embed(pictures)
    assert many.shape == (4, 512)
    assert np.allclose(few @ few.T, many @ many.T, atol=1e-6)


def test_fewer_dimensions_than_the_grid_takes_are_refused() -> None:
    with pytest.raises(ValueError, match="4 x 4 cells take 49 dimensions"):
        ColourGrid(dimensions=48)
