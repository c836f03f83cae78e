"""The one place where features become unit vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from imgrec.embedders.protocol import Vectors

# Below this a float32 row is rounding noise: normalising it would make noise look like a picture.
SMALLEST_NORM = 1e-9


def normalise(rows: ArrayLike) -> Vectors:
    """Return the rows, (n, dimensions), L2-normalised as float32; zero or non-finite ones as NaN.

    A zero vector has no direction: its cosine to anything is NaN, and pgvector leaves it out of
    the index without a word.
    """
    features = np.asarray(rows, dtype=np.float64)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    usable = np.isfinite(norms) & (norms > SMALLEST_NORM)
    unit = features / np.where(usable, norms, 1.0)
    return np.where(usable, unit, np.nan).astype(np.float32)
