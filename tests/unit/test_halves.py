"""Vectors in the forms PostgreSQL takes them in."""

from __future__ import annotations

import numpy as np

from imgrec.halves import to_text


def test_every_half_is_told_from_its_neighbours() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    text = to_text(halves.astype(np.float32))
    assert text.startswith("[")
    assert text.endswith("]")
    read = [float(each) for each in text[1:-1].split(",")]
    assert (np.array(read, dtype=np.float32).astype(np.float16) == halves).all()
